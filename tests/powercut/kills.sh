#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kills.sh: power cuts as a disk without a cache has them. The machine is killed at random moments while the load runs in it on
# two disks, ext4 and xfs, which stay. The next one mounts them, looks at what is there (kills-guest.sh), and goes on
# with the load until it is killed. What was promised is known by what has reached its standard output.
#
# Runs on the host, on the kernel $SHALE_KERNEL_NAME (6.12). Prints KTAP. For long runs:
#
#   SHALE_POWERCUT_KILLS     how often (default 1)
#   SHALE_POWERCUT_SEED      of the first; each takes the next one, and the next set of mount options (default 1)
#   SHALE_POWERCUT_SECONDS   the load runs for so long at most (default 4)
#   SHALE_POWERCUT_ROOMS     how many directories there are to work in, for the load not to run out of files of the layers
#   SHALE_TYPE=overlay       asks the same of overlayfs

set -u
export LC_ALL=C
here=$(cd "${0%/*}" && pwd)
run=$here/../../run
# shellcheck source=tests/ktap.sh
source "$here/../ktap.sh"

kernel=${SHALE_KERNEL_NAME:-6.12}
kills=${SHALE_POWERCUT_KILLS:-1}
seed=${SHALE_POWERCUT_SEED:-1}
seconds=${SHALE_POWERCUT_SECONDS:-4}
rooms=${SHALE_POWERCUT_ROOMS:-1}

echo "KTAP version 1"

[[ $kernel != bare ]] || skip_all "this kernel has no xfs"

# In the tree, where the machine sees it.
mkdir -p "$here/../../build"
work=$(mktemp -d "$(realpath "$here/../../build")/powercut.XXXXXX")
ktap_log=$work/log
run_pid=
trap 'end_run; rm -rf "$work"' EXIT
trap 'exit 143' TERM INT HUP

end_run() {
    [[ -z $run_pid ]] || kill "$run_pid" 2>/dev/null
    wait
}

make_disks() {
    truncate -s 1G "$work/ext4" "$work/xfs" && mkfs.ext4 -q "$work/ext4" && mkfs.xfs -q "$work/xfs"
}

# boot SEED ARGUMENT...: $run_pid runs a machine that looks at the last cut, if there was one, and works.
boot() {
    : >"$work/output"
    "$run" vm --kernel "$kernel" --disk "$work/ext4" --disk "$work/xfs" -- \
        env SHALE_POWERCUT_ROOMS="$rooms" ${SHALE_TYPE:+SHALE_TYPE="$SHALE_TYPE"} "$here/kills-guest.sh" "$work" "$@" >"$work/output" 2>"$work/errors" </dev/null &
    run_pid=$!
}

# Return: whether the load has begun; not, if the machine has ended before.
wait_for_load() {
    until grep -qx '= begin' "$work/output"; do
        kill -0 "$run_pid" 2>/dev/null || return
        sleep 0.05
    done
}

# wait_for_promises COUNT: until there are so many for each base.
wait_for_promises() {
    local base
    for base in ext4 xfs; do
        until (($(grep -c "^+ $base " "$work/output") >= $1)); do
            kill -0 "$run_pid" 2>/dev/null || return
            sleep 0.05
        done
    done
}

# The machine is a child of the relay: QEMU, or what holds all processes of User Mode Linux.
kill_machine() {
    local relay machine
    relay=$(pgrep -P "$run_pid" -x host-relay) && machine=$(pgrep -P "$relay") && kill -KILL "$machine"
}

# cut LEAST: kills it some time after the load has begun, and has made so many promises, which become the journals.
cut() {
    local status=0 base
    if wait_for_load && wait_for_promises "$1"; then
        sleep "$(awk -v "seconds=$seconds" -v "random=$RANDOM" 'BEGIN { print seconds * random / 32768 }')"
        kill_machine || status=1
    else
        status=1
    fi
    wait "$run_pid"
    run_pid=
    ! grep -q 'holds a report' "$work/errors" || status=1
    ! grep '^= failed' "$work/output" || status=1
    for base in ext4 xfs; do
        sed -n "s/^+ $base //p" "$work/output" >"$work/journal.$base"
    done
    ((status == 0)) || cat "$work/errors"
    return $status
}

count_promises() {
    local base
    for base in ext4 xfs; do
        promised[$base]=$(wc -l <"$work/journal.$base")
    done
}

# is_good BASE: what this machine has found of the last cut.
is_good() {
    sed -n "s/^- $1 //p" "$work/output"
    grep -qx "= good $1" "$work/output"
}

# is_bad BASE: it has found that promises were not kept.
is_bad() {
    ! is_good "$1" && grep -E "^- $1 .*(no state from operation|was promised|blocks instead)" "$work/output"
}

# cut_and_look LEAST ARGUMENT...: the one before is looked at by the next machine.
cut_and_look() {
    local base least=$1
    shift
    boot "$@"
    ok "cut $number: the machine is killed under load" cut "$least" || give_up
    ((number > 1)) || return
    for base in ext4 xfs; do
        ok "cut $((number - 1)), $base: ${promised[$base]} promises are kept" is_good "$base"
    done
}

# What comes last only looks.
look() {
    boot "$@"
    wait "$run_pid"
    run_pid=
    for base in ext4 xfs; do
        ok "that nothing was synced is found out on $base, of ${promised[$base]} promises" is_bad "$base"
    done
}

declare -A promised
ok "disks are made" make_disks || give_up
for ((number = 1; number <= kills; number++)); do
    cut_and_look 0 $((seed + number))
    count_promises
done
cut_and_look 20 $((seed + number)) --lies
count_promises
look $((seed + number + 1)) --rest

echo "# $SECONDS s"
finish
