#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The Debian packages: built, judged, installed in a clean Debian 12, used in a guest and for
# booting, purged.

set -u -o pipefail
tree=$(realpath "$(dirname "$0")/../..")
work=$tree/build/packaging/packages
ktap_log=$work/step.log
# shellcheck source=tests/ktap.sh
source "$tree/tests/ktap.sh"
# shellcheck source=tests/packaging/lib/guest.sh
source "$tree/tests/packaging/lib/guest.sh"
# shellcheck source=tests/packaging/lib/debian.sh
source "$tree/tests/packaging/lib/debian.sh"
# shellcheck source=tests/packaging/lib/initramfs.sh
source "$tree/tests/packaging/lib/initramfs.sh"

rm -rf --one-file-system "$work"
mkdir -p "$work"
trap 'rm -rf --one-file-system "$work"' EXIT

version=$(sed -n 's/^#define SHALE_VERSION "\(.*\)"$/\1/p' "$tree/include/version.h")
first_boot=("root is Shale" "lower shows" "root is writable" "lower is unchanged")
second_boot=("root is Shale" "lower shows" "the last boot's file is there" "root is writable" "lower is unchanged")
updates=/lib/modules/$release/updates/dkms

# Without optimisation there is nothing to fortify.
lintian_is_content() {
    lintian --allow-root --fail-on error,warning --suppress-tags hardening-no-fortify-functions "$debs"/*.changes
}

has_files() {
    local file
    for file in "$@"; do
        [[ -e $root$file ]] || { echo "$file is missing"; return 1; }
    done
}

has_no_files() {
    local file
    for file in "$@"; do
        [[ ! -e $root$file ]] || { echo "$file is there"; return 1; }
    done
}

module_field() {
    modinfo -b "$root" -k "$release" -F "$1" shale
}

# The kernel's configuration says that it has overlayfs, so nothing must be built for it.
overlay_is_left_out() {
    in_root dkms status shale-overlay | tee "$work/status"
    ! grep -q installed "$work/status" && has_no_files "$updates"/overlay.ko{,.xz}
}

# Headers of a kernel that has none.
overlay_is_built() {
    in_root cp -a "/usr/src/linux-headers-$release" /usr/src/without &&
        sed -i '/CONFIG_OVERLAY_FS/d' "$root/usr/src/without/.config" &&
        in_root dkms build "shale-overlay/$version" -k "$release" --kernelsourcedir /usr/src/without &&
        modinfo -F alias "$root/var/lib/dkms/shale-overlay/$version/$release/x86_64/module"/overlay.ko* |
        grep -x fs-overlay
}

is_purged() {
    in_root dkms status | tee "$work/status"
    ! grep -q shale "$work/status" &&
        has_no_files "$updates"/shale.ko{,.xz} /usr/src/shale-"$version" /usr/sbin/shale /etc/shale
}


ok "packages are built" build_packages || give_up
ok "lintian has no complaint" lintian_is_content
ok "a clean Debian 12 is there" make_clean_root || give_up
ok "it can be copied" copy_clean_root || give_up
ok "shale and shale-dkms install" install_packages_in_root shale shale-dkms || give_up
ok "DKMS has built and installed the module" in_root sh -c "dkms status shale/$version -k $release | grep installed"
ok "module has the version" [ "$(module_field version)" = "$version" ]
ok "module is signed with the host's key" [ "$(module_field signer)" = "DKMS module signing key" ]
ok "the command runs" in_root sh -c "shale --version | grep -x 'shale $version'"
ok "manual pages and completion are there" has_files /usr/share/man/man8/{shale,mount.shale}.8.gz \
    /usr/share/man/man5/shale.5.gz /usr/share/bash-completion/completions/shale
run_guest "$tree/tests/packaging/lib/packages-guest.sh" "$root"

ok "its initramfs has module and script" make_initramfs
ok "a small root file system is made" make_root_disk
ok "root on Shale, changes in memory" boot_on tmpfs "${first_boot[@]}"
ok "root on Shale, changes on a disk" boot_on /dev/vdb "${first_boot[@]}"
ok "they are there at the next boot" boot_on /dev/vdb "${second_boot[@]}"

ok "shale-overlay-dkms installs" install_packages_in_root shale-overlay-dkms
ok "it does nothing for a kernel with overlayfs" overlay_is_left_out
if grep -q SHALE_NAME "$tree/Kbuild"; then
    ok "it builds overlay.ko for one without" overlay_is_built
fi
ok "the packages are purged" apt_in_root purge shale shale-dkms shale-overlay-dkms
ok "and leave nothing behind" is_purged
finish
