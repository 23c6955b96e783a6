#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What mount.shale promises to mount(8): both ways into the kernel give the same mount, and each failure its
# exit status. Runs in the guest, as root; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")

scratch=$(mktemp -d "${SHALE_SCRATCH:-/scratch}/helper.XXXXXX") || exit
cd "$scratch" || exit
cleanup() {
    cd /
    umount -q "$scratch/m" 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT

ktap_log=$scratch/log
# shellcheck source=tests/ktap.sh
source "$tests/ktap.sh"

# refuses STATUS WORDS ARGUMENT...: mount.shale fails so, with a message that has WORDS, and mounts nothing
refuses() {
    local status=$1 words=$2 actual
    shift 2
    mount.shale "$@" 2>err
    actual=$?
    cat err
    [[ $actual == "$status" ]] && grep -qF -- "$words" err && ! mountpoint -q m
}

# mount_options WHICH: the mount's or the super block's, as /proc/self/mountinfo has them
mount_options() {
    awk -v point="$scratch/m" -v which="$1" '$5 == point { print which == "mount" ? $6 : $NF }' /proc/self/mountinfo
}

# has_option WHICH WORD
has_option() {
    [[ ,$(mount_options "$1"), == *,"$2",* ]]
}

mkdir m u w 'with,comma' 'with:colon'
touch 'with,comma/comma' 'with:colon/colon'
lowers=''
mkdir -p layers/number-{1..300}
for i in {1..300}; do
    : >"layers/number-$i/file-$i"
    lowers+=${lowers:+:}$scratch/layers/number-$i
done
special="lowerdir=$scratch/with\\,comma:$scratch/with\\:colon"

echo "TAP version 13"
ok "mounts options of one page through mount(2)" mount.shale none m -o "rw,lowerdir=layers/number-1,upperdir=u,workdir=w"
ok "the mount is writable" touch m/new
ok "remounts read-only" mount.shale none m -o "remount,ro,lowerdir=layers/number-1,upperdir=u,workdir=w"
ok "and it is" has_option mount ro
ok "remounts writable" mount.shale none m -o remount,rw
ok "and it is writable" touch m/again
umount m

long="nosuid,noatime,nodev,lowerdir=$lowers,upperdir=$scratch/u,workdir=$scratch/w"
ok "says with -v which way it takes" sh -c 'mount.shale -fv none m -o "$1" | grep "by descriptor"' sh "$long"
ok "mounts 300 layers, more than a page of options" mount.shale web m -o "$long"
ok "all layers are there" test -e m/file-1 -a -e m/file-300
ok "the mount is writable" touch m/newer
ok "nosuid arrives" has_option mount nosuid
ok "nodev arrives" has_option mount nodev
ok "noatime arrives" has_option mount noatime
ok "the source arrives" sh -c 'shale mounts | grep -q web'
umount m

ok "300 layers read-only" mount.shale none m -o "ro,lowerdir=$lowers"
ok "are read-only" sh -c '! touch m/no'
umount m

ok "backslashes protect in a short option string" mount.shale none m -o "$special"
ok "both layers are there" test -e m/comma -a -e m/colon
umount m
ok "and in a long one" mount.shale none m -o "$special:$lowers"
ok "both layers are there again" test -e m/comma -a -e m/colon
umount m

ok "-f mounts nothing" mount.shale -f none m -o "lowerdir=layers/number-1"
ok "indeed nothing" sh -c '! mountpoint -q m'
ok "-N mounts in another mount namespace" unshare --mount --propagation private sh -c \
    "mount.shale none $scratch/m -N /proc/$$/ns/mnt -o lowerdir=$scratch/layers/number-2 && ! mountpoint -q m"
ok "there it is" test -e m/file-2
umount m

ok "--help tells how it is used" sh -c 'mount.shale --help | grep "usage: mount.shale SOURCE DIR"'
ok "no arguments: 1" refuses 1 "usage"
ok "an unknown type: 1" refuses 1 "no such type" none m -t other
ok "a missing layer: 32" refuses 32 "No such file" none m -o lowerdir=absent
ok "a missing layer by descriptor: 32, by name" refuses 32 "absent" none m -o "lowerdir=$lowers:absent"
ok "a missing mount point: 32" refuses 32 "absent" none absent -o "lowerdir=$lowers"
ok "an unknown option: 32" refuses 32 "dmesg" none m -o "lowerdir=layers/number-1,nonsense"
ok "an unknown option by descriptor: 32, by name" refuses 32 "nonsense" none m -o "lowerdir=$lowers,nonsense"

finish
