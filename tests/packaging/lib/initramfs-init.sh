#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# Process 1 of a root file system on Shale: says on the console what it finds, and switches the machine off.

busybox=/bin/busybox

pass_if() {
    name=$1
    shift
    if "$@"; then
        echo "shale-test: pass $name"
    else
        echo "shale-test: fail $name"
    fi
}

root_is_shale() {
    $busybox grep -q ' / / .* - shale ' /proc/self/mountinfo
}

lower_is_unchanged() {
    [ -e /run/shale/lower/etc/lower ] && [ ! -e /run/shale/lower/etc/new ]
}

[ -e /proc/self ] || $busybox mount -t proc proc /proc
pass_if "root is Shale" root_is_shale
pass_if "lower shows" $busybox grep -q below /etc/lower
[ -e /etc/new ] && pass_if "the last boot's file is there" $busybox grep -q written /etc/new
echo written >/etc/new
pass_if "root is writable" $busybox grep -q written /etc/new
pass_if "lower is unchanged" lower_is_unchanged
$busybox sync
$busybox reboot -f
