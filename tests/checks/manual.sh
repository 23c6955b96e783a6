#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The manual pages are sound roff and name what there is; the completion completes.

set -u
cd "$(dirname "$0")/../.." || exit
built=$PWD/build/userspace status=0

complain() {
    echo "$@"
    status=1
}

for page in "$built/shale.8" docs/manual/shale.5 docs/manual/mount.shale.8; do
    said=$(groff -man -Tutf8 -ww -z "$page" 2>&1)
    [[ -z $said ]] || complain "$page: $said"
    grep -q '^\.SH SEE ALSO' "$page" || complain "$page: its end is missing"
done

# Each option that the module knows is in shale(5).
while read -r option; do
    option=${option//-/\\-}
    grep -qF -- "$option" docs/manual/shale.5 || complain "docs/manual/shale.5: doesn't tell of $option"
done < <(sed -nE 's/.*fsparam_[a-z_]+\("([^"]+)".*/\1/p' kmod/vfs/context.c | grep -vx stack)

shellcheck --shell=bash "$built/shale.bash" || status=1

# completes EXPECTED WORD...: after those words, the last of which is being typed.
completes() {
    local expected=$1 got
    shift
    got=$(PATH=$built:$PATH bash -c 'source "$0"; complete -p shale >/dev/null || exit
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _shale shale "${@: -1}" "${@: -2:1}" 2>/dev/null; echo "${COMPREPLY[*]}"' "$built/shale.bash" "$@")
    [[ $got == "$expected" ]] || complain "completion of '$*': '$got', expected '$expected'"
}

completes 'image mount umount mounts show which who-uses diff stats top events set gc snapshot verify store run selftest fsck layer' shale ''
completes 'umount' shale um
completes 'import export ls inspect history tag rm verify prune pull push' shale image ''
completes 'ls show diff merge squash dedup' shale layer ''
completes '--name --json --help' shale image import -
completes '--lazy' shale --root /nowhere umount --l
completes 'include' shale mount --lower inc
completes 'include' shale --root inc
completes 'CHANGELOG.md' shale image import CHANGEL
completes '' shale --root CHANGEL
completes 'whited-out' shale events --kind w
completes 'copied-up' shale set /mnt --events cop
completes '--sizes' shale show --s
completes '' shale mount --name no-such-name

exit $status
