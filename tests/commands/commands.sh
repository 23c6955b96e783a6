#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the commands mount, umount, mounts and diff promise, on explicit layers. Runs in the guest,
# as root, with the module loaded; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")

# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"

mounts_field() {
    shale mounts --json | /usr/bin/python3 -IBS -c "import json, sys; print(json.load(sys.stdin)[0]$1)"
}

mkdir a b u w m m2 u2 w2 u2/in
echo base >b/f; echo gone >b/gone; mkdir b/d; echo x >b/d/x; echo a >a/top

echo "TAP version 13"
ok "mounts layers read-only" shale mount --lower a --lower b m
ok "shows all layers" shows $'m\nm/d\nm/d/x\nm/f\nm/gone\nm/top' sh -c 'find m | LC_ALL=C sort'
ok "is read-only without upper" sh -c '! touch m/new'
ok "refuses to compare a mount without upper" refuses 1 "$PWD/m|without a writable layer|" shale diff "$PWD/m"
ok "unmounts by directory" shale umount m
ok "refuses to unmount what is not mounted" refuses 1 "neither a mount point|shale mounts|" shale umount m
ok "refuses to unmount other file systems" refuses 1 "/proc: not a Shale mount|proc|" shale umount /proc

ok "mounts layers with an upper" shale mount --lower a --lower b --upper u --work w m --name web
ok "changes go through" sh -c 'echo new >m/new && rm m/gone && echo more >>m/f && mkdir m/d/e'
ok "diff lists what changed, sorted" shows $'A /d/e\nC /f\nD /gone\nA /new' shale diff m
ok "mounts tells the mount point" shows "$scratch/m" mounts_field "['mountpoints'][0]"
ok "mounts tells the layers in order" shows "['$scratch/a', '$scratch/b']" mounts_field "['lowers']"
ok "mounts tells the upper" shows "$scratch/u" mounts_field "['upper']"
ok "mounts counts copies" shows 2 mounts_field "['copy_ups']"
if [[ $module == shale ]]; then
    ok "refuses an upper in use" refuses 1 "$scratch/u|in use|" shale mount --lower b --upper u --work w2 m2
    ok "refuses a work directory in use" refuses 1 "$scratch/w|in use|" shale mount --lower b --upper u2 --work w m2
else
    ok "mounts an upper in use, as overlayfs does" sh -c 'shale mount --lower b --upper u --work w2 m2 && shale umount m2'
fi
ok "says that a mount is in use" refuses 1 "$scratch/m: in use|--lazy|" sh -c 'cd m && shale umount ..//m'
ok "unmounts by name" shale umount web
ok "nothing is mounted then" shows "nothing is mounted" shale mounts

ok "mounts it again" shale mount --lower b --upper u --work w m --name web
mount -t tmpfs none m
ok "refuses by name what something else lies on" refuses 1 "$scratch/m|something else|findmnt|" shale umount web
ok "which stays" mountpoint -q m
umount m
ok "unmounts by name what nothing lies on" shale umount web
ok "and it is gone" sh -c '! mountpoint -q m'

ok "takes flags as mount(8) does" shale mount --lower b -o nosuid,nodev -o noexec m
ok "and they arrive" sh -c 'findmnt -n -o OPTIONS m | grep nosuid,nodev,noexec'
umount m
ok "mounts an upper read-only, and says so" sh -c 'shale mount --lower b --upper u --work w -o ro m | grep read-only'
umount m
ok "refuses --read-only with an upper" refuses 2 "--read-only|--upper|" shale mount --lower b --upper u --work w --read-only m
ok "refuses layers behind -o" refuses 2 "--lower|" shale mount --lower b -o lowerdir=a m

ok "refuses a missing layer" refuses 1 "lower layer $scratch/none|No such file|" shale mount --lower none m
ok "refuses a file as layer" refuses 1 "lower layer $scratch/b/f|not a directory|" shale mount --lower b/f m
ok "refuses an upper inside a lower" refuses 1 "$scratch/u2/in|inside|" shale mount --lower u2 --upper u2/in --work w2 m
ok "refuses a work directory on another file system" refuses 1 "work directory /proc|file system|" \
    shale mount --lower a --upper u2 --work /proc m
ok "refuses the same layer twice" refuses 1 "$scratch/a|twice|" shale mount --lower a --lower b --lower a m
ok "refuses an unknown option" refuses 1 "option nonsense=1|Unknown|" shale mount --lower a -o nonsense=1 m
ok "refuses a missing mount point" refuses 1 "mount point $scratch/none|No such file|" shale mount --lower a none
ok "refuses an unknown image" refuses 1 "nosuch|image ls|" shale mount nosuch m
ok "refuses whoever is not root" refuses 1 "sudo|" setpriv --reuid 65534 --clear-groups "$(command -v shale)" mount --lower a m
ok "refuses bad usage with status 2" refuses 2 "--help|" shale mount --lower a x y

mkdir n nu nw nb nb/dir nb/dir/sub; echo x >nb/file
needs() { mounts_field "['overlayfs_needs']"; }
ok "an upper that nobody wrote to needs no options" sh -c 'shale mount --lower nb --upper nu --work nw -o redirect_dir=on,metacopy=on n'
ok "and mounts says so" shows "[]" needs
chmod 600 n/file
ok "mounts tells that a copy without data was made" shows "['metacopy=on']" needs
mv n/dir n/new
ok "and that a directory was renamed" shows "['redirect_dir=on', 'metacopy=on']" needs
umount n; shale mount --lower nb --upper nu --work nw n >/dev/null
ok "mounted again, it tells what was met, and has met nothing" shows "[]" needs
ok "with --scan it looks for all" sh -c 'shale mounts --scan | grep "redirect_dir=on,metacopy=on"'
ls n/new >/dev/null
ok "without, it tells what was met meanwhile" sh -c 'shale mounts | grep " redirect_dir=on"'
umount n

mkdir many && (cd many && seq 4096 | xargs mkdir) && echo last >many/4096/file
many=()
for ((i = 1; i <= 4096; i++)); do many+=(--lower "many/$i"); done
ok "mounts 4096 layers, though few files may be open" sh -c 'ulimit -Sn 64; exec "$@"' - shale mount "${many[@]}" m
ok "shows the lowest of them" shows last cat m/file
ok "tells all of them" shows 4096 sh -c 'shale mounts --json | grep -c /many/'
ok "unmounts them" shale umount m
ok "refuses one more" refuses 1 "4096|" shale mount "${many[@]}" --lower b m

finish
