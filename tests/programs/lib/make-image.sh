#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make-image.sh SUITE DIR: makes a Debian with the packages $IMAGE_PROGRAMS, in three layers. Wants a mount namespace of its
# own, and DIR/work/sources, lines for sources.list. In DIR there are then
#
#   base.tar        the lowest layer: Debian's essential packages
#   programs.tar    the one above: all that the programs add and change, and whiteouts for what they remove
#   data.tar        the top one, /srv: what the programs work on (data.sh makes it), and a repository of $IMAGE_REPOSITORY
#   listing         what the merged tree has to show, as image_listing prints it

set -eu -o pipefail
export LC_ALL=C
here=$(realpath "$(dirname "$0")")
# shellcheck source=tests/programs/lib/listing.sh
source "$here/listing.sh"
suite=$1 dir=$2
cd "$dir/work"
ulimit -f $((4 << 20))  # KiB, of one file

# The essential packages are copied aside before the others come. What no test reads stays out, for the guest may be
# emulated and has to write all that is there.
make_root() {
    local options=() proxy
    mkdir debs base
    proxy=$(apt-config dump Acquire::http::Proxy)
    [[ -z $proxy ]] || options+=(--aptopt="$proxy")
    mmdebstrap --mode=root --variant=minbase --include="$IMAGE_PROGRAMS" "${options[@]}" \
        --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/i18n/*' --dpkgopt='path-exclude=/usr/lib/postgresql/*/lib/bitcode/*' \
        --dpkgopt='path-exclude=/usr/share/zoneinfo/right/*' --dpkgopt='path-exclude=/usr/share/zoneinfo/posix/*' \
        --dpkgopt='path-exclude=/usr/lib/x86_64-linux-gnu/libLLVM*' --dpkgopt='path-exclude=/usr/lib/gcc/*/lto1' \
        --dpkgopt='path-exclude=/usr/lib/gcc/*san*' --dpkgopt='path-exclude=/usr/lib/x86_64-linux-gnu/lib*san.so*' \
        --essential-hook='mkdir -p "$1/etc/postgresql-common"' \
        --essential-hook='echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
        --essential-hook='cp -a --one-file-system "$1/." base' \
        --customize-hook='rm "$1"/var/cache/apt/archives/*.deb' \
        --customize-hook='APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --yes --download-only --no-install-recommends \
            install $IMAGE_REPOSITORY && mv "$1"/var/cache/apt/archives/*.deb debs' \
        --customize-hook='rm -f "$1/etc/apt/sources.list"' \
        "$suite" root - <sources
    rm -rf base/var/lib/apt/lists base/var/cache/apt {base,root}/dev base/tmp
    mkdir {base,root}/dev base/tmp
}

# Directories are all there, so that there is much to merge.
make_programs() {
    local path last=//
    rsync -aHAX --compare-dest="$PWD/base" root/ programs/
    comm -23 <(cd base && find . -mindepth 1 | sort) <(cd root && find . -mindepth 1 | sort) |
        while read -r path; do
            [[ $path != "$last"/* ]] || continue
            mknod "programs/$path" c 0 0
            last=$path
        done
}

# The programs themselves make it.
make_data() {
    mkdir -p data/srv/repository
    cp debs/*.deb data/srv/repository
    (cd data/srv/repository && dpkg-scanpackages --multiversion . >Packages && echo "$IMAGE_REPOSITORY" >names)
    cp "$here"/{data.sh,numbers.pl} data/srv
    mount --bind data/srv root/srv
    mount --bind /dev root/dev
    mount -t proc proc root/proc
    chroot root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/srv sh -eux /srv/data.sh
    umount root/proc root/dev
    rm data/srv/{data.sh,numbers.pl}
}

pack() {
    local layer
    for layer in base programs data; do
        tar --create --file "$dir/$layer.tar" --numeric-owner --sort=name --format=posix --sparse \
            --xattrs --xattrs-include='*' --acls --directory "$layer" .
    done
}

make_root
make_programs
make_data
pack
umount root/srv
{ image_listing root; image_listing data; } | sort -u >"$dir/listing"
