#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ./run install and ./run uninstall, in a mount namespace where the places that they write to are copies:
# what is there in between, and that nothing is left.

set -u -o pipefail
tree=$(realpath "$(dirname "$0")/../..")
work=$tree/build/packaging/install
release=$(<"$SHALE_KERNEL/release")
version=$(sed -n 's/^#define SHALE_VERSION "\(.*\)"$/\1/p' "$tree/include/version.h")
ktap_log=$work/step.log
# shellcheck source=tests/ktap.sh
source "$tree/tests/ktap.sh"

# The mounts go away with this process, however it ends.
if [[ ${1-} != --in-namespace ]]; then
    exec unshare --mount --propagation private "$0" --in-namespace
fi
rm -rf --one-file-system "$work"
mkdir -p "$work/places"
trap 'rm -rf --one-file-system "$work" 2>/dev/null' EXIT

places=(/usr/sbin /usr/local /usr/src /var/lib/dkms /usr/lib/modules)

# Small ones are copied, /usr/local and /usr/src begin empty.
replace_places() {
    local place copy
    for place in "${places[@]}"; do
        copy=$work/places$place
        mkdir -p "$place" "$copy"
        [[ $place == /usr/sbin ]] && cp -a "$place/." "$copy/"
    done
    mkdir -p "$work/places/usr/lib/modules/$release" "$work"/places/usr/local/{bin,sbin,share/man}
    cp -a "$SHALE_KERNEL/modules/lib/modules/$release"/modules.* "$work/places/usr/lib/modules/$release/"
    ln -s "$SHALE_KERNEL/modules/lib/modules/$release/kernel" "$work/places/usr/lib/modules/$release/kernel"
    ln -s "$SHALE_KERNEL/headers" "$work/places/usr/lib/modules/$release/build"
    for place in "${places[@]}"; do
        mount --bind "$work/places$place" "$place" || return
    done
}

# All that is there, but for indices and keys that depmod and DKMS keep.
inventory() {
    (cd "$work/places" && find . ! -name 'modules.*' ! -path './var/lib/dkms/mok.*' ! -path './var/lib/dkms/dkms_dbversion' |
        LC_ALL=C sort)
}

is_as_before() {
    diff <(inventory) "$work/before"
}

tools_are_there() {
    local file
    [[ $(/usr/local/sbin/shale --version) == "shale $version" ]] || return
    for file in /usr/sbin/mount.shale /usr/local/share/man/man8/shale.8 /usr/local/share/bash-completion/completions/shale \
        /usr/local/lib/libshale.so /usr/local/include/shale/netlink/client.hpp; do
        [[ -s $file ]] || { echo "$file is missing"; return 1; }
    done
}

module_lies_in() {
    local file
    file=$(modinfo -k "$release" -F filename shale) && [[ $file == "/lib/modules/$release/$1" ]] &&
        [[ $(modinfo -k "$release" -F version shale) == "$version" ]]
}

# refuses WORDS COMMAND...: says WORDS and changes nothing
refuses() {
    local words=$1
    shift
    "$@" >"$work/said" 2>&1 && return 1
    cat "$work/said"
    grep -q -- "$words" "$work/said" && is_as_before
}

ok "the places are replaced" replace_places || give_up
inventory >"$work/before"

ok "refuses a kernel without headers" refuses "linux-headers-9.9.9" "$tree/run" install 9.9.9
ok "refuses overlay.ko where the kernel has overlayfs" refuses "overlayfs of its own" "$tree/run" install --overlay "$release"
ok "uninstalling nothing is fine" "$tree/run" uninstall

ok "installs by DKMS" "$tree/run" install "$release"
ok "the tools are there" tools_are_there
ok "DKMS has the module" sh -c "dkms status shale/$version -k $release | grep installed"
ok "module is found" module_lies_in updates/dkms/shale.ko
ok "installs once more, over it" "$tree/run" install "$release"
ok "uninstalls" "$tree/run" uninstall
ok "nothing is left" is_as_before

ok "installs without DKMS" "$tree/run" install --no-dkms "$release"
ok "the tools are there" tools_are_there
ok "module is found" module_lies_in updates/shale.ko
ok "uninstalls" "$tree/run" uninstall
ok "nothing is left" is_as_before
finish
