#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# neighbours.sh: Shale and in-tree overlayfs on one machine keep out of what the other writes, and share what both read.
#
# Wants root, both drivers and /scratch. Prints KTAP.

set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/ktap.sh
source "$here/../ktap.sh"

echo "KTAP version 1"

[[ ${SHALE_MODULE:-shale} != overlay ]] || skip_all "overlay is our module here"
modprobe -q overlay
for type in shale overlay; do
    grep -qw $type /proc/filesystems || skip_all "this kernel has no $type"
done
scratch=$(mktemp -d /scratch/neighbours.XXXXXX) || skip_all "cannot write to /scratch"
ktap_log=$scratch/log
trap 'cd /; umount -q "$scratch"/{first,second}; rm -rf --one-file-system "$scratch"' EXIT
cd "$scratch" || exit 1
mkdir low first second {a,b}{,work} a/of_upper
touch low/file

# mount_at POINT TYPE OPTIONS: as overlayfs looks after its upper, with an index.
mount_at() {
    mount -t "$2" -o "index=on,$3" none "$1"
}

# mount(8) has two sentences for EBUSY.
is_busy() {
    if mount_at "$@" 2>message; then
        umount "$1"
        return 1
    fi
    cat message
    grep -qE 'busy|already mounted' message
}

ends() {
    umount first && ! mountpoint -q second
}

# keeps_out ONE OTHER: what one has mounted to write, the other has not.
keeps_out() {
    local one=$1 other=$2 how="$1 and $2"
    ok "$how: one mounts" mount_at first "$one" lowerdir=low,upperdir=a,workdir=awork
    ok "$how: an upper is not the other's, too" is_busy second "$other" lowerdir=low,upperdir=a,workdir=bwork
    ok "$how: nor is a work directory" is_busy second "$other" lowerdir=low,upperdir=b,workdir=awork
    ok "$how: nor is an upper the other's lower" is_busy second "$other" lowerdir=a:low,upperdir=b,workdir=bwork
    ok "$how: a lower is both's" mount_at second "$other" lowerdir=low,upperdir=b,workdir=bwork
    umount second
    ok "$how: it goes on, and ends" ends
    ok "$how: then the upper is the other's" mount_at second "$other" lowerdir=low,upperdir=a,workdir=awork
    umount second
    rm -rf {a,b}{,work}
    mkdir {a,b}{,work}
}

keeps_out overlay shale
keeps_out shale overlay
finish
