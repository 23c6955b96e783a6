#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# in-guest.sh counted|timed [OPTION...]: what `./run bench` has run in its guests. Prints what shale-bench prints.
#
# The bases lie on a disk of memory, which answers at once: what is measured is the file systems' own work. Only who
# waits for whom shows on a disk that takes its time.

set -eu
mode=$1
shift
options=("$@")
[[ $mode == timed ]] || options+=(--counted)
place=/mnt/bench
device=/dev/ram0

modprobe overlay
modprobe brd rd_nr=1 rd_size=$((1536 << 10))
mkdir -p "$place"

# with_base TYPE DEVICE NAME GROUP...
with_base() {
    local type=$1 device=$2 name=$3 inodes=()
    shift 3
    modprobe "$type"
    wipefs -aq "$device"
    [[ $type == xfs ]] || inodes=(-i 4096)
    mkfs."$type" -q "${inodes[@]}" "$device" >&2
    mount -t "$type" "$device" "$place"
    shale-bench "${options[@]}" "$name" "$place" "$@"
    umount "$place"
}

with_base ext4 "$device" ext4 names files requests copy-up layers memory large programs
with_base xfs "$device" xfs names files requests copy-up

if [[ $mode == timed ]]; then
    modprobe dm-delay
    dmsetup create slow --table "0 $(blockdev --getsz "$device") delay $device 0 0 $device 0 10"
    dmsetup mknodes
    with_base ext4 /dev/mapper/slow "ext4, 10 ms" requests
    with_base xfs /dev/mapper/slow "xfs, 10 ms" requests
fi
