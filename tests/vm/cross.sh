# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The module compiled and linked, not run: for other architectures, against Debian's headers for them, and for a kernel
# of a kind that no package has.

# target, compiler's prefix, make's ARCH, flavour of Debian's kernel
readonly cross_targets=(
    "arm64 aarch64-linux-gnu- arm64 cloud-arm64"
    "armhf arm-linux-gnueabihf- arm armmp"
)

# run_cross_builds: a result per target.
run_cross_builds() {
    local target prefix arch flavour
    for target in "${cross_targets[@]}"; do
        read -r target prefix arch flavour <<<"$target"
        wanted cross "$target" || continue
        install_packages "${cross_packages[@]}"
        with_lock "$cache/kernels.lock" prepare_cross_headers "$target" "$flavour"
        if build_cross_module "$target" "$prefix" "$arch"; then
            result ok "cross: module for $target, $(<"$cross_dir/release")"
        else
            result FAIL "cross: module for $target, $(<"$cross_dir/release")"
            grep -E '(error|warning|undefined)' "$build/cross-$target/log" | head -n 20 | sed 's/^/    /'
            tail -n 3 "$build/cross-$target/log" | sed 's/^/    /'
        fi
    done
    run_build_without_fs_stack
}

# 7.3 without CONFIG_FS_STACK, whose exports must not be used there, whatever the headers declare.
run_build_without_fs_stack() {
    local name="module for 7.3 without FS_STACK" kernel_dir
    wanted cross "$name" || return 0
    supervised can_prepare 7.3 || { result FAIL "cross: $name: the kernel cannot be had"; return; }
    prepare_kernel 7.3
    if build_without_fs_stack >"$build/without-fs-stack.log" 2>&1; then
        result ok "cross: $name"
    else
        result FAIL "cross: $name"
        tail -n 20 "$build/without-fs-stack.log" | sed 's/^/    /'
    fi
}

build_without_fs_stack() {
    local copy=$build/without-fs-stack
    copy_module_sources "$copy"
    echo '#undef CONFIG_FS_STACK' >"$copy/without.h"
    supervised "$tree/tests/vm/kernel-make.sh" "$kernel_dir" "$copy" -j "$(nproc)" W=1 \
        KCFLAGS="-include $copy/without.h" modules </dev/null || return
    nm -u "$copy/shale.ko" | grep ' U alloc_empty_backing_file$' &&
        ! nm -u "$copy/shale.ko" | grep -E ' U (backing_(tmp)?file_(open|read_iter|write_iter|splice_read|splice_write|mmap)|fsstack_.*)$'
}

# copy_module_sources DIR: what a build needs, and nothing else stays there but its log.
copy_module_sources() {
    mkdir -p "$1"
    rsync -a --delete --exclude=/log "$tree/Kbuild" "$tree/kmod" "$tree/include" "$1/"
}

# Leaves in $cross_dir what a prepared kernel has of headers.
prepare_cross_headers() {
    local target=$1 flavour=$2 unfinished release
    cross_dir=$cache/kernels/cross-$target
    [[ -e $cross_dir/release ]] && return
    unfinished=$cross_dir.unfinished
    rm -rf "$cross_dir" "$unfinished"
    mkdir -p "$unfinished/debs"
    say "cross: downloading Debian's headers for $target"
    # Security updates of the lesser architectures are now and then out of step; any kernel will do here.
    (apt_architecture=$target make_private_apt "$unfinished/apt" bookworm bookworm-security) 2>/dev/null ||
        apt_architecture=$target make_private_apt "$unfinished/apt" bookworm
    make_private_apt "$unfinished/apt-host" bookworm bookworm-security
    release=$(newest_cross_release "$unfinished/apt" "$flavour")
    [[ -n $release ]] || die "cross: there are no headers for $flavour"
    download_cross_headers "$unfinished" "$release"
    unpack_kernel "$unfinished"
    kernel_dir=$cross_dir relocate_headers "$unfinished" "$release"
    rm -rf "$unfinished/apt" "$unfinished/apt-host"
    echo "$release" >"$unfinished/release"
    mv "$unfinished" "$cross_dir"
}

newest_cross_release() {
    private_apt "$1" cache pkgnames linux-headers- |
        sed -n "s/^linux-headers-\(6\.[-0-9.+deb]*-$2\)\$/\1/p" | sort -V | tail -n 1
}

# The programs of the headers (fixdep, modpost) come from the same kernel's package for this machine.
download_cross_headers() {
    local unfinished=$1 headers=linux-headers-$2 common kbuild
    common=$(private_apt "$unfinished/apt" cache depends --important "$headers" |
        sed -nE 's/^ *Depends: (linux-headers-[0-9].*)/\1/p')
    kbuild=$(private_apt "$unfinished/apt" cache depends --important "$headers" |
        sed -nE 's/^ *Depends: (linux-kbuild-[0-9][^:]*).*/\1/p')
    supervised env -C "$unfinished/debs" apt-get -c "$unfinished/apt/apt.conf" -qq download "$headers" "$common" >/dev/null ||
        die "cross: cannot download $headers and $common"
    supervised env -C "$unfinished/debs" apt-get -c "$unfinished/apt-host/apt.conf" -qq download "$kbuild" >/dev/null ||
        die "cross: cannot download $kbuild"
}

build_cross_module() {
    local target=$1 prefix=$2 arch=$3 copy=$build/cross-$1
    copy_module_sources "$copy"
    supervised "$tree/tests/vm/kernel-make.sh" "$cross_dir" "$copy" -j "$(nproc)" W=1 \
        ARCH="$arch" CROSS_COMPILE="$prefix" modules </dev/null >"$copy/log" 2>&1 &&
        ! grep -E '(warning|error):|^WARNING' "$copy/log" && file_is_for "$arch" "$copy/shale.ko"
}

# The machine in an ELF header: 183 is AArch64, 40 is ARM.
file_is_for() {
    local machine
    machine=$(od -An -tu2 -j 18 -N 2 "$2" | tr -d ' ')
    [[ $1/$machine == arm64/183 || $1/$machine == arm/40 ]]
}
