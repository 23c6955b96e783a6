# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Kernels as Debian builds them for virtual machines. Their packages are unpacked, not installed: the host
# needs no second kernel in its boot menu, and the headers always match the image.

readonly debian_flavour=cloud-amd64

# make_debian_kernel VERSION DIR SUITE...: leaves in DIR, which will be $kernel_dir, the newest VERSION that
# the suites have.
make_debian_kernel() {
    local version=$1 dir=$2 release
    shift 2
    say "kernel: looking for Debian's $version in $*"
    make_private_apt "$dir/apt" "$@"
    release=$(newest_release "$version" "$dir/apt")
    [[ -n $release ]] || die "kernel: there is no $version for $debian_flavour in $*"
    download_kernel "$release" "$dir"
    rm -rf "$dir/apt"

    say "kernel: unpacking it into $kernel_dir"
    unpack_kernel "$dir"
    extract_vmlinux "$dir" "$release"
    arrange_modules "$dir" "$release"
    relocate_headers "$dir" "$release"
    echo "$release" >"$dir/release"
}

# newest_release VERSION APT: point versions vanish from the archive, so their names are never written down. The
# headers of the newest can be there before its image is.
newest_release() {
    local names release
    names=$(private_apt "$2" cache pkgnames linux-)
    sed -n "s/^linux-headers-\(${1//./\\.}\.[0-9].*-$debian_flavour\)\$/\1/p" <<<"$names" | sort -rV |
        while read -r release; do
            grep -qxF "linux-image-$release" <<<"$names" && echo "$release" && break
        done
}

# The image became a meta package with 7.3, and some packages of the headers are named after the upstream
# version: what belongs together is asked of apt.
download_kernel() {
    local release=$1 dir=$2 packages
    mapfile -t packages < <(
        for package in "linux-image-$release" "linux-headers-$release"; do
            echo "$package"
            private_apt "$dir/apt" cache depends --important "$package" |
                sed -nE 's/^ *Depends: (linux-(base|binary|modules|headers|kbuild)-[0-9].*)/\1/p'
        done | sort -u)
    say "kernel: downloading $release"
    mkdir "$dir/debs"
    supervised env -C "$dir/debs" apt-get -c "$dir/apt/apt.conf" -qq download "${packages[@]}" >/dev/null ||
        die "kernel: cannot download ${packages[*]}"
}

unpack_kernel() {
    local deb
    mkdir "$1/unpacked"
    for deb in "$1"/debs/*.deb; do
        dpkg-deb -x "$deb" "$1/unpacked" || die "kernel: cannot unpack $deb"
    done
    rm -rf "$1/debs"
}

# A bzImage says in its header where the compressed kernel lies (x86 boot
# protocol 2.08): setup_sects at 0x1f1, payload_offset and payload_length at 0x248.
# Behind the compressed stream stands its unpacked size, about which the
# decompressors complain; hence the check by ELF magic rather than by exit status.
extract_vmlinux() {
    local dir=$1 image=$1/unpacked/boot/vmlinuz-$2 sectors offset length magic unpack
    [[ -e $image ]] || image=$dir/unpacked/usr/lib/modules/$2/vmlinuz       # its place from 7.x on
    sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$image")
    read -r offset length < <(od -An -tu4 -j $((0x248)) -N 8 "$image")
    offset=$((offset + (sectors + 1) * 512))
    magic=$(od -An -tx1 -j "$offset" -N 4 "$image" | tr -d ' ')
    case $magic in
    28b52ffd) unpack=(zstd -dqc) ;;
    fd377a58) unpack=(xz -dqc) ;;
    1f8b08*) unpack=(gzip -dqc) ;;
    02214c18) unpack=(lz4 -dqc) ;;
    *) die "kernel: $image is compressed in an unknown way ($magic)" ;;
    esac
    tail -c +$((offset + 1)) "$image" | head -c "$length" | "${unpack[@]}" >"$dir/vmlinux" 2>/dev/null
    [[ $(od -An -tx1 -N 4 "$dir/vmlinux") == " 7f 45 4c 46" ]] || die "kernel: cannot unpack $image"
}

# The guest's emulated processor would take seconds to unpack what is unpacked here once.
arrange_modules() {
    local dir=$1 release=$2 module
    mkdir -p "$dir/modules/lib"
    mv "$dir"/unpacked/{,usr/}lib/modules "$dir/modules/lib/" 2>/dev/null      # from 7.x on in usr
    [[ -d $dir/modules/lib/modules/$release ]] || die "kernel: its packages have no modules"
    rm -f "$dir/modules/lib/modules/$release"/{build,source,vmlinuz}
    find "$dir/modules" -name '*.ko.xz' -print0 | xargs -0 -r -n 64 -P 2 unxz
    depmod -b "$dir/modules" "$release" || die "kernel: depmod failed"
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
