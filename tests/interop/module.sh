#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The module comes and goes: loaded, used and unloaded many times in a row. It leaves nothing behind, and it can't go
# while a mount is there.

set -u
rounds=${1:-40}
module=${SHALE_MODULE:-shale}

echo "KTAP version 1"
if ! modinfo "$module" >/dev/null 2>&1; then
    echo "1..0 # SKIP there is no module $module for this kernel"
    exit 0
fi
if grep -q " - $module " /proc/*/mountinfo 2>/dev/null; then
    echo "1..0 # SKIP a mount of Shale is there, so the module can't be unloaded"
    exit 0
fi
echo "1..5"

dir=$(mktemp -d "${SHALE_SCRATCH:-/scratch}/module.XXXXXX") || exit 1
mkdir "$dir"/{low,upper,work,merged}
echo low >"$dir/low/file"
trap 'umount "$dir/merged" 2>/dev/null; modprobe -q "$module"; rm -rf --one-file-system "$dir"' EXIT

number=0 failures=0

# result STATUS NAME
result() {
    number=$((number + 1))
    if (($1 == 0)); then
        echo "ok $number $2"
    else
        echo "not ok $number $2"
        failures=$((failures + 1))
    fi
}

mount_shale() {
    mount -t "$module" -o "lowerdir=$dir/low,upperdir=$dir/upper,workdir=$dir/work" module "$dir/merged"
}

is_loaded() {
    [[ -d /sys/module/$module ]]
}

unload() {
    rmmod "$module" 2>"$dir/rmmod.error" && return
    sed 's/^/# /' "$dir/rmmod.error"
    return 1
}

if is_loaded; then
    unload
fi
! is_loaded
result $? "the module that was loaded can be unloaded"

modprobe "$module" && mount_shale && ! rmmod "$module" 2>/dev/null && is_loaded && [[ $(<"$dir/merged/file") == low ]]
result $? "while a mount is there the module can't be unloaded"

umount "$dir/merged" && unload && ! is_loaded && ! grep -qw "$module" /proc/filesystems && [[ ! -e /sys/fs/$module ]]
result $? "after the last unmount it can, and the file system type goes with it"

# one_round N: load, mount, change, unmount, unload
one_round() {
    modprobe "$module" &&
        mount_shale &&
        echo "$1" >"$dir/merged/file" &&
        mkdir "$dir/merged/dir.$1" &&
        rm -r "$dir/merged/dir.$1" &&
        [[ $(<"$dir/merged/file") == "$1" ]] &&
        umount "$dir/merged" &&
        unload
}

for ((round = 1; round <= rounds; round++)); do
    if ! one_round "$round"; then
        echo "# round $round of $rounds failed"
        break
    fi
done
((round > rounds))
result $? "load, mount, change, unmount, unload: $rounds times in a row"

[[ $(<"$dir/low/file") == low && $(<"$dir/upper/file") == "$rounds" && -z $(find "$dir/work/work" -mindepth 1 ! -type c) &&
    $(find "$dir/work/work" -type c | wc -l) -le 1 ]]
result $? "the lower is as it was, the upper has the last change, the work directory but a whiteout"

((failures == 0))
