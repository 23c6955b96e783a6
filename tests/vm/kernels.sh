# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The kernels that `run vm --kernel` knows, and how each comes into the cache.
#
# A prepared kernel is one directory, $cache/kernels/NAME:
#
#   release        its release, as uname -r says
#   vmlinux        uncompressed, which QEMU enters two seconds sooner than a bzImage; `linux`,
#                  a program, of a User Mode Linux kernel (uml.sh)
#   modules/       lib/modules/RELEASE, uncompressed, with depmod's indices
#   headers        link to where modules are built: make -C headers M=DIR
#   boot-modules   the modules a guest needs before it sees its host, one path a line

readonly default_kernel=6.12
readonly known_kernels=(6.12 "${uml_kernels[@]}")

# prepare_kernel NAME: leaves it in the cache and its directory in $kernel_dir.
prepare_kernel() {
    kernel_dir=$cache/kernels/$1
    case $1 in
    bare | debug) prepare_uml_kernel "$1"; return ;;
    esac
    [[ -e $kernel_dir/release ]] && return
    with_lock "$cache/kernels.lock" build_kernel_dir "$1"
}

build_kernel_dir() {
    local name=$1 unfinished=$cache/kernels/$1.unfinished
    [[ -e $kernel_dir/release ]] && return      # somebody else did it meanwhile
    rm -rf "$unfinished" "$kernel_dir"
    mkdir -p "$unfinished"
    case $name in
    6.12) unpack_debian_kernel "linux-image-6.12-cloud-amd64" "$unfinished" ;;
    esac
    mv "$unfinished" "$kernel_dir"
}

# Debian packages are unpacked, not installed: the host needs no second kernel
# in its boot menu, and the headers always match the image.
unpack_debian_kernel() {
    local meta=$1 dir=$2 image release flavour=cloud-amd64
    image=$(package_depended_on "$meta" '^linux-image-[0-9].*-cloud-amd64$')
    release=${image#linux-image-}
    say "kernel: downloading Debian's $release (image and headers)"
    mkdir "$dir/debs" "$dir/unpacked"
    (cd "$dir/debs" && apt-get -qq -o APT::Sandbox::User=root download "$image" \
        "linux-headers-$release" "linux-headers-${release%"-$flavour"}-common" \
        "linux-kbuild-${release%"-$flavour"}" >/dev/null) ||
        die "kernel: cannot download the packages of $release; is the network up, and is 'apt-get update' clean?"

    say "kernel: unpacking it into $kernel_dir"
    local deb
    for deb in "$dir"/debs/*.deb; do
        dpkg-deb -x "$deb" "$dir/unpacked"
    done
    rm -rf "$dir/debs"
    extract_vmlinux "$dir"/unpacked/boot/vmlinuz-"$release" >"$dir/vmlinux"
    arrange_modules "$dir" "$release"
    relocate_headers "$dir" "$release"
    echo "$release" >"$dir/release"
}

# package_depended_on META PATTERN: point versions vanish from the archive, so
# the one that META stands for today is asked for, never written down.
package_depended_on() {
    local found
    found=$(apt-cache depends --important "$1" 2>/dev/null | sed -n 's/^ *Depends: //p' | grep -E "$2" | head -n 1)
    if [[ -z $found ]]; then
        update_package_lists
        found=$(apt-cache depends --important "$1" 2>/dev/null | sed -n 's/^ *Depends: //p' | grep -E "$2" | head -n 1)
    fi
    [[ -n $found ]] || die "kernel: apt knows no package $1; are Debian 12's main and security archives in its sources?"
    echo "$found"
}

# A bzImage says in its header where the compressed kernel lies (x86 boot
# protocol 2.08): setup_sects at 0x1f1, payload_offset and payload_length at 0x248.
# Behind the compressed stream stands its unpacked size, about which the
# decompressors complain; hence the check by ELF magic rather than by exit status.
extract_vmlinux() {
    local image=$1 sectors offset length magic
    sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$image")
    read -r offset length < <(od -An -tu4 -j $((0x248)) -N 8 "$image")
    offset=$((offset + (sectors + 1) * 512))
    magic=$(od -An -tx1 -j "$offset" -N 4 "$image" | tr -d ' ')
    local unpack
    case $magic in
    28b52ffd) unpack=(zstd -dqc) ;;
    fd377a58) unpack=(xz -dqc) ;;
    1f8b08*) unpack=(gzip -dqc) ;;
    *) die "kernel: $image is compressed in an unknown way ($magic)" ;;
    esac
    tail -c +$((offset + 1)) "$image" | head -c "$length" | "${unpack[@]}" 2>/dev/null || true
}

# The guest's emulated processor would take seconds to unpack what is unpacked here once.
arrange_modules() {
    local dir=$1 release=$2 module
    mkdir -p "$dir/modules/lib"
    mv "$dir"/unpacked/lib/modules "$dir/modules/lib/modules"
    rm -f "$dir/modules/lib/modules/$release"/{build,source}
    find "$dir/modules" -name '*.ko.xz' -print0 | xargs -0 -r -n 64 -P 2 unxz
    depmod -b "$dir/modules" "$release"
    for module in virtio_pci virtio_blk virtio_console virtiofs; do
        modprobe -d "$dir/modules" -S "$release" --show-depends "$module" | sed -n 's/^insmod //p'
    done | sed "s|^$dir/||" | awk '!seen[$0]++' >"$dir/boot-modules"
}

# Debian's headers name each other by absolute paths, which are elsewhere now.
relocate_headers() {
    local dir=$1 release=$2
    sed -i "s|/usr/src/|$kernel_dir/unpacked/usr/src/|g" \
        "$dir/unpacked/usr/src/linux-headers-$release/Makefile"
    ln -s "unpacked/usr/src/linux-headers-$release" "$dir/headers"
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
