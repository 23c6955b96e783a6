# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The kernels that --kernel knows, and where each comes from.
#
# A prepared kernel is one directory, $cache/kernels/NAME:
#
#   release          its release, as uname -r says; written last
#   vmlinux          uncompressed, which QEMU enters two seconds sooner than a bzImage; `linux`, a
#                    program, of a User Mode Linux kernel (uml.sh)
#   modules/         lib/modules/RELEASE, uncompressed, with depmod's indices
#   headers          link to where modules are built (kernel-make.sh does)
#   make-arguments   for make there, one a line; may be missing
#   chroot           link to a root directory with a compiler for it; missing if the host's will do
#   boot-modules     the modules a guest needs before it sees its host, one path a line

readonly default_kernel=6.12
readonly known_kernels=(6.1 6.12 7.3 "${uml_kernels[@]}")

# prepare_kernel NAME: leaves it in the cache and its directory in $kernel_dir.
prepare_kernel() {
    kernel_dir=$cache/kernels/$1
    case $1 in
    bare | debug) prepare_uml_kernel "$1"; return ;;
    esac
    [[ -e $kernel_dir/release ]] || with_lock "$cache/kernel-$1.lock" make_kernel_dir "$1"
    prepare_compiler "$1"
}

make_kernel_dir() {
    local name=$1 unfinished=$cache/kernels/$1.unfinished
    [[ -e $kernel_dir/release ]] && return      # somebody else did it meanwhile
    rm -rf "$unfinished" "$kernel_dir"
    mkdir -p "$unfinished"
    case $name in
    6.1 | 6.12) make_debian_kernel "$name" "$unfinished" bookworm bookworm-security ;;
    7.3) make_debian_kernel "$name" "$unfinished" trixie-backports ;;
    *) die "kernel: no rule to make $name" ;;
    esac
    mv "$unfinished" "$kernel_dir"
}

# prepare_compiler NAME: the host's compiles modules for most.
prepare_compiler() {
    case $1 in
    7.3)
        prepare_chroot trixie
        [[ -L $kernel_dir/chroot ]] || ln -s "../../chroots/trixie" "$kernel_dir/chroot" ;;
    esac
}

# prepare_linux_source: leaves in $linux_source what the checks use of the kernel's sources.
prepare_linux_source() {
    local version
    version=$(dpkg-query -W -f '${Version}' linux-source-6.12)
    linux_source=$cache/linux-source-$version
    [[ -e $linux_source ]] && return
    say "test: unpacking the kernel's own tools from linux-source-6.12"
    rm -rf "$cache"/linux-source-*
    mkdir -p "$linux_source.unfinished"
    tar -xJf /usr/src/linux-source-6.12.tar.xz -C "$linux_source.unfinished" --strip-components=1 --wildcards \
        'linux-source-6.12/scripts/*' 'linux-source-6.12/tools/net/ynl/*' 'linux-source-6.12/Documentation/netlink/*' ||
        die "test: cannot unpack /usr/src/linux-source-6.12.tar.xz"
    mv "$linux_source.unfinished" "$linux_source"
}
