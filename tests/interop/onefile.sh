#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# onefile.sh: all that a program does to an open file, at random. shale-onefile (in onefile/) does the same to a file in a
# mount and to a plain file of the base: answers have to be the same, and the content what memory says. The file begins in a
# lower layer, and is copied up at some moment, with descriptors and mappings of it there.
#
# Runs are buffered or with direct I/O, and have the lower layer on the base itself, where its blocks may be shared, or on
# another one of its kind.
#
# Wants root and /scratch. Prints KTAP. For long runs, and to find what a run found:
#
#   SHALE_ONEFILE_BASES      file systems (default ext4 xfs btrfs tmpfs)
#   SHALE_ONEFILE_SEEDS      seeds, as words (default 1)
#   SHALE_ONEFILE_OPS        operations of each run
#   SHALE_ONEFILE_KINDS      of "buffered-same buffered-other direct-same direct-other", as words (default: those with "same")
#   SHALE_ONEFILE_COUNTS=1   says how often there was each operation
#   SHALE_ONEFILE_RUN        further options of `shale-onefile`, like --session 12
#   SHALE_TYPE=overlay       asks the same of overlayfs

set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../../build/userspace
# shellcheck source=tests/ktap.sh
source "$here/../ktap.sh"
# shellcheck source=tests/mkfs.sh
source "$here/../mkfs.sh"

read -ra bases <<<"${SHALE_ONEFILE_BASES:-ext4 xfs btrfs tmpfs}"
read -ra seeds <<<"${SHALE_ONEFILE_SEEDS:-1}"
read -ra kinds <<<"${SHALE_ONEFILE_KINDS:-buffered-same direct-same}"
operations=${SHALE_ONEFILE_OPS:-100}
type=${SHALE_TYPE:-${SHALE_MODULE:-shale}}

echo "KTAP version 1"

grep -qw "$type" /proc/filesystems || skip_all "this kernel has no $type"
command -v shale-onefile >/dev/null || skip_all "shale-onefile is not built"
scratch=$(mktemp -d /scratch/onefile.XXXXXX) || skip_all "cannot write to /scratch"
mount -t tmpfs onefile "$scratch" || skip_all "cannot mount tmpfs"   # a disk takes its time, again and again
ktap_log=$scratch/log
mkdir "$scratch"/{base,other}

unmount_bases() {
    local place
    for place in base other; do
        mountpoint -q "$scratch/$place" || continue
        umount "$scratch/$place" || umount --lazy "$scratch/$place"
        rm -f "$scratch/$place.image"
    done
}
trap 'umount -q --lazy "$scratch"/{base,other} "$scratch" 2>/dev/null; rmdir "$scratch"' EXIT

has_base() {
    modprobe -q "$1"
    grep -qw "$1" /proc/filesystems || return
    [[ $1 == tmpfs ]] || { modprobe -q loop; [[ -e /dev/loop-control ]]; }
}

# mount_base TYPE PLACE: sparse, on a loop device, which goes with the mount. A kernel may refuse to mount a device that
# somebody has open for writing, as mount(8) itself has one of "-o loop".
mount_base() {
    local image=$scratch/$2.image device status
    [[ $1 != tmpfs ]] || { mount -t tmpfs -o size=512m onefile "$scratch/$2"; return; }
    truncate -s 512M "$image" && make_file_system "$1" "$image" && device=$(losetup --find --show "$image") || return
    mount -t "$1" "$device" "$scratch/$2"
    status=$?
    losetup --detach "$device"
    return $status
}

# The other one only where it is asked for: making a file system is what takes longest here.
mount_bases() {
    mount_base "$1" base && { [[ ${kinds[*]} != *-other* ]] || mount_base "$1" other; }
}

# has_direct FILE: whether the base lets it be opened so.
has_direct() {
    echo >"$1"
    dd if="$1" of=/dev/null iflag=direct bs=4096 count=1 status=none 2>/dev/null
}

# run SEED KIND OPTION...: each of the four kinds has numbers of its own with a seed.
run() {
    local number=$(($1 * 10)) lower=$scratch/base options=()
    [[ $2 == *-same ]] || lower=$scratch/other number=$((number + 1))
    [[ $2 == buffered-* ]] || options=(--direct) number=$((number + 2))
    shift 2
    # shellcheck disable=SC2086 # words
    shale-onefile --type "$type" "${options[@]}" "$@" ${SHALE_ONEFILE_RUN-} "$number" "$operations" "$scratch/base" "$lower"
}

# try_kind BASE KIND
try_kind() {
    local seed
    [[ $2 == buffered-* ]] || has_direct "$scratch/base/probe" || { skip "$*" "this $1 has no direct I/O"; return; }
    for seed in "${seeds[@]}"; do
        ok "$1, $2, seed $seed" run "$seed" "$2"
        total=$((total + $(sed -n '$ s/ operations$//p' "$ktap_log")))
        sed -n 's/^tolerated/# &/p' "$ktap_log"
        [[ -z ${SHALE_ONEFILE_COUNTS-} ]] || sed 's/^/# /' "$ktap_log"
    done
}

total=0
for base in "${bases[@]}"; do
    has_base "$base" || { skip "$base" "this kernel has no $base, or no loop devices"; continue; }
    ok "$base: is mounted" mount_bases "$base" || give_up
    for kind in "${kinds[@]}"; do
        try_kind "$base" "$kind"
    done
    echo "# $SECONDS s"
    unmount_bases
done

# notices OPERATION
notices() {
    local operations=2000
    run 1 buffered-same --leave-out "$1" | grep '^difference: '
}

mount_base tmpfs base
for operation in pwrite ftruncate fallocate map-write; do
    ok "what is not expected of $operation is found" notices "$operation"
done

echo "# $total operations in all, $SECONDS s"
finish
