# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A small Debian of another suite in a directory, for kernels whose headers need a newer compiler or a newer C
# library than this host has. kernel-make.sh enters it.

# to build a module, and to check one as tests/checks/sparse.sh does
readonly chroot_packages=(gcc make libc6-dev libelf1t64 sparse)

# prepare_chroot SUITE: leaves its directory in $chroot. One that was made for other packages is made anew.
prepare_chroot() {
    chroot=$cache/chroots/$1
    chroot_is_ready || with_lock "$cache/chroots.lock" make_chroot "$1"
}

chroot_is_ready() {
    [[ -e $chroot/.packages && $(<"$chroot/.packages") == "${chroot_packages[*]}" ]]
}

make_chroot() {
    local suite=$1 new=$chroot.unfinished log=$chroot.log proxy options=()
    chroot_is_ready && return       # somebody else did it meanwhile
    say "kernel: making a small Debian $suite to build modules in"
    install_packages mmdebstrap debian-archive-keyring
    mkdir -p "$cache/chroots"
    rm -rf --one-file-system "$chroot" "$new"
    debian_sources "$suite" "$suite-security" >"$chroot.sources"
    proxy=$(apt-config dump Acquire::http::Proxy)
    [[ -z $proxy ]] || options+=(--aptopt="$proxy")

    # Whatever it mounts goes away with its mount namespace, however it ends.
    supervised unshare --mount --propagation private \
        mmdebstrap --mode=root --variant=apt --include="${chroot_packages[*]}" "${options[@]}" \
        --aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$suite" "$new" - <"$chroot.sources" >"$log" 2>&1 ||
        { tail -n 30 "$log" >&2; die "kernel: mmdebstrap cannot make a Debian $suite"; }
    echo "${chroot_packages[*]}" >"$new/.packages"
    mv "$new" "$chroot"
}
