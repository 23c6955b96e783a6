#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# flushes.sh: power cuts as a disk with a cache has them. The load runs on a base whose writes dm-log-writes records, in the
# order in which they are certain to be on the disk. Then these are replayed to a copy of the disk as it was before, up to
# marks (an fsync has just come back) and flushes, and each time what is there by then is looked at.
#
# Wants root and dm-log-writes. Prints KTAP. For long runs, and to find what a run found:
#
#   SHALE_POWERCUT_BASES     file systems (default ext4 xfs)
#   SHALE_POWERCUT_SEEDS     seeds, as words (default 1); each takes the next set of mount options
#   SHALE_POWERCUT_OPS       operations of each hand
#   SHALE_POWERCUT_STOPS     marks to stop at in each run, and as many flushes
#   SHALE_POWERCUT_ROOMS     how many directories there are to work in, for the load not to run out of files of the layers
#   SHALE_TYPE=overlay       asks the same of overlayfs

set -u
export LC_ALL=C
here=$(cd "${0%/*}" && pwd)
PATH=$PATH:$here/../../build/userspace
export DM_DISABLE_UDEV=1
# shellcheck source=tests/ktap.sh
source "$here/../ktap.sh"
# shellcheck source=tests/mkfs.sh
source "$here/../mkfs.sh"
# shellcheck source=tests/powercut/lib/cut.sh
source "$here/lib/cut.sh"

# --- One stop: what shale-powercut replay runs -----------------------------------------------------------------------

# check_stop BASE SEED OPTIONS LINKED KIND ENTRY: looks at a copy of the image, which is to be replayed to further.
check_stop() {
    local device status
    read -ra linked <<<"$4"
    cp --sparse=always "$cut/image" "$cut/stop" || return
    device=$(losetup --find --show "$cut/stop") || return
    check_cut "$1" "$device" "$2" "$cut/journal" "$3" "${linked[@]}" >"$cut/said" 2>&1
    status=$?
    losetup --detach "$device"
    if ((status)); then
        echo "cut behind entry $6, a $5:"
        head -n 30 "$cut/said"
    fi
    return $status
}

if [[ ${1-} == --stop ]]; then
    cut=$2
    check_stop "${@:3}"
    exit
fi

# --- One run ---------------------------------------------------------------------------------------------------------

read -ra bases <<<"${SHALE_POWERCUT_BASES:-ext4 xfs}"
read -ra seeds <<<"${SHALE_POWERCUT_SEEDS:-1}"
operations=${SHALE_POWERCUT_OPS:-60}
nr_stops=${SHALE_POWERCUT_STOPS:-1}

echo "KTAP version 1"

grep -qw "$type" /proc/filesystems || skip_all "this kernel has no $type"
command -v shale-powercut shale-model >/dev/null || skip_all "shale-powercut or shale-model is not built"
modprobe -qa loop dm-mod dm-log-writes
dmsetup targets 2>/dev/null | grep -q ^log-writes || skip_all "this kernel has no dm-log-writes"
cut=$(mktemp -d /run/powercut.XXXXXX)
mount -t tmpfs -o size=90% powercut "$cut" || skip_all "cannot mount tmpfs"
ktap_log=$cut/log
mkdir "$cut/base" "$cut/merged"

trap 'umount -q --lazy "$cut"/{merged,base} "$cut"; rmdir "$cut"' EXIT

# mkfs.xfs makes nothing smaller.
size_of() {
    if [[ $1 == xfs ]]; then echo 300M; else echo 64M; fi
}

# Some kernels mount nothing that somebody has open for writing, as mount(8) has a device of "-o loop".
fill() {
    local device status
    device=$(losetup --find --show "$2") || return
    mount -t "$1" "$device" "$cut/base" && make_layers "$cut/base" && umount "$cut/base"
    status=$?
    losetup --detach "$device"
    return $status
}

# begin_recording BASE: leaves $cut/image as the disk is before, and the disk that is recorded as /dev/mapper/powercut.
begin_recording() {
    local pristine=$cut/$1
    rm -f "$cut/recorded"
    [[ -e $pristine ]] || { truncate -s "$(size_of "$1")" "$pristine" && make_file_system "$1" "$pristine" && fill "$1" "$pristine"; } || return
    cp --sparse=always "$pristine" "$cut/image" && cp --sparse=always "$pristine" "$cut/written" &&
        truncate -s 8G "$cut/recorded" || return
    disk=$(losetup --find --show "$cut/written") && recorder=$(losetup --find --show "$cut/recorded") &&
        dmsetup create powercut --table "0 $(blockdev --getsz "$disk") log-writes $disk $recorder"
}

end_recording() {
    umount -q "$cut/merged"
    umount -q "$cut/base"
    dmsetup remove --retry powercut
    losetup --detach "$disk" "$recorder"
}

# record BASE SEED OPTIONS BASE-OPTIONS LOAD-OPTION...
record() {
    local base=$1 seed=$2 options=$3 base_options=$4 status=0
    shift 4
    begin_recording "$base" || return
    mount -t "$base" -o "$base_options" /dev/mapper/powercut "$cut/base" &&
        mount_stack "$cut/base" "$cut/merged" "$options" &&
        shale-powercut load "${rooms[@]}" --log powercut --operations "$operations" "$@" "$seed" "$cut/merged" || status=1
    end_recording || status=1
    return $status
}

# replay BASE SEED OPTIONS [--linked]
replay() {
    shale-powercut replay "$cut/recorded" "$cut/image" "$nr_stops" "$cut/journal" \
        "$here/flushes.sh" --stop "$cut" "$1" "$2" "$3" "${4-}"
}

# run BASE SEED
run() {
    options_of "$2"
    record "$1" "$2" "$options" defaults "${linked[@]}" && replay "$1" "$2" "$options" "${linked[@]}"
}

for base in "${bases[@]}"; do
    modprobe -q "$base"
    grep -qw "$base" /proc/filesystems || { skip "$base" "this kernel has no $base"; continue; }
    for seed in "${seeds[@]}"; do
        ok "$base, seed $seed: what was promised is there at each stop" run "$base" "$seed"
        sed -n '$ s/^/# /p' "$ktap_log"
    done
    echo "# $SECONDS s"
done

# --- What is wrong is noticed ----------------------------------------------------------------------------------------

# found HOW BASE-OPTIONS LOAD-OPTION...: a run of this kind does not pass, by what it has lost.
found() {
    record ext4 1 "$@" || return
    ! replay ext4 1 "$1" >"$cut/found" 2>&1 && grep -qE 'no state from operation|was promised|blocks instead' "$cut/found" && return
    cat "$cut/found"
    return 1
}

options_of 0
ok "promises without a sync are found out" found "$options" defaults --lies
ok "a base that does not flush its disk is found out" found "$options" nobarrier

echo "# $SECONDS s"
finish
