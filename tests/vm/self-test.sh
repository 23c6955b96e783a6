#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `./run vm` promises, tried one promise after the other, each in a machine of its own. Prints KTAP.
#
#   self-test.sh [NAME...]      all, or those named
#
# on the kernel $SHALE_KERNEL_NAME (6.12), prepared in $SHALE_KERNEL, where the promise is not about another one.

set -u
kernel=${SHALE_KERNEL_NAME:-6.12}
run=$(realpath "$(dirname "$0")/../../run")
work=$(mktemp -d)
kernel_dir=${SHALE_KERNEL:-${SHALE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/shale}/kernels/$kernel}
trap 'rm -rf "$work"' EXIT

tests=(
    exit_status_is_the_commands
    signal_is_an_exit_status
    unknown_command_is_127
    input_passes_through
    binary_input_passes_unchanged
    input_is_left_alone_until_the_guest_is_up
    no_input_is_an_end_of_file
    arguments_pass_unchanged
    output_and_errors_stay_apart
    output_of_an_orphan_is_not_waited_for
    working_directory_is_kept
    shared_directory_is_writable_and_what_is_written_stays
    the_hosts_root_is_not_changed
    scratch_is_empty_and_over_8_gib
    disk_is_given_and_what_is_written_stays
    each_base_is_what_was_asked_for
    module_and_tools_are_there
    kernel_warning_is_99
    kernel_warning_wins_over_the_commands_failure
    line_that_mentions_a_warning_is_none
    panic_is_99
    bad_usage_is_2
    two_machines_at_once
    interrupt_leaves_nothing_behind
)
case $kernel in
bare)
    tests+=(as_overlay_the_module_stands_in_for_overlayfs overlayfs_is_not_there file_handles_are_not_there) ;;
debug)
    tests+=(
        overlayfs_is_there_to_compare_with
        leak_is_reported
        overflow_is_reported
        vmalloc_overflow_is_reported
        use_after_free_is_reported
        sleep_in_atomic_is_reported
        lock_order_is_reported
        list_twice_is_reported
        free_active_is_reported
        shift_is_reported
        memory_fails_on_demand
    ) ;;
*)
    tests+=(
        kernel_is_the_one_that_was_asked_for
        counted_machine_waits_no_time
        counted_machine_counts_instructions
        as_overlay_the_module_stands_in_for_overlayfs
        overlayfs_is_there_to_compare_with
    ) ;;
esac
(($#)) && tests=("$@")

vm() {
    timeout --kill-after=10 "${seconds:-240}" "$run" vm --kernel "$kernel" "$@" 2>"$work/errors"
}

# expect STATUS COMMAND...
expect() {
    local wanted=$1 got
    shift
    "$@"
    got=$?
    [[ $got == "$wanted" ]] && return
    echo "# exit status $got, expected $wanted: $*"
    sed 's/^/#   /' "$work/errors"
    return 1
}

# same WANTED GOT
same() {
    [[ $1 == "$2" ]] && return
    echo "# expected '$1', got '$2'"
    sed 's/^/#   /' "$work/errors"
    return 1
}

exit_status_is_the_commands() {
    expect 1 vm -- false && expect 0 vm -- true && expect 42 vm -- sh -c 'exit 42'
}

signal_is_an_exit_status() {
    expect 137 vm -- sh -c 'kill -KILL $$'
}

unknown_command_is_127() {
    expect 127 vm -- /nowhere/no-such-command
}

input_passes_through() {
    same hi "$(echo hi | vm -- cat)"
}

binary_input_passes_unchanged() {
    local size=20000000
    [[ $kernel == debug ]] && size=2000000      # User Mode Linux takes input byte by byte
    head -c "$size" /dev/urandom >"$work/random"
    vm -- cat <"$work/random" >"$work/returned"
    cmp "$work/random" "$work/returned" && return
    sed 's/^/#   /' "$work/errors"
    return 1
}

# What comes up at the second attempt gets all of it.
input_is_left_alone_until_the_guest_is_up() {
    local relay
    relay=$(dirname "$run")/build/vm/host-relay
    mkdir -p "$work/stillborn"
    same "all of it" "$(echo "all of it" | { "$relay" "$work/stillborn" sleep 1; cat; })"
}

no_input_is_an_end_of_file() {
    same "" "$(vm -- cat </dev/null)" && same "" "$(vm -- cat <&-)"
}

arguments_pass_unchanged() {
    local odd=('a b' "it's" '"' $'two\nlines' '' '*' $'\x01\xff' --)
    same "$(printf '<%s>' "${odd[@]}")" "$(vm -- printf '<%s>' "${odd[@]}")"
}

output_and_errors_stay_apart() {
    same out "$(vm -- sh -c 'echo out; echo err >&2')" && grep -qx err "$work/errors"
}

output_of_an_orphan_is_not_waited_for() {
    SECONDS=0
    same started "$(vm -- sh -c 'sleep 1000 & echo started')" && ((SECONDS < 120))
}

working_directory_is_kept() {
    mkdir -p "$work/some where"
    (cd "$work/some where" && same "$PWD" "$(vm -- pwd)")
}

shared_directory_is_writable_and_what_is_written_stays() {
    mkdir -p "$work/shared dir"
    echo before >"$work/shared dir/old"
    expect 0 vm --share "$work/shared dir" -- sh -c 'cp "$1/old" "$1/new"' sh "$work/shared dir" &&
        same before "$(cat "$work/shared dir/new")"
}

the_hosts_root_is_not_changed() {
    vm -- sh -c 'touch /etc/shale-self-test; echo x >>/etc/hostname; touch /shale-self-test /var/lib/shale-self-test /tmp/shale-self-test'
    same "" "$(ls -d {,/etc,/var/lib,/tmp}/shale-self-test 2>/dev/null)"
}

scratch_is_empty_and_over_8_gib() {
    expect 0 vm -- sh -c 'test -z "$(ls -A /scratch)" && test "$(df --output=avail -BG /scratch | tail -n 1 | tr -dc 0-9)" -gt 8'
}

disk_is_given_and_what_is_written_stays() {
    mkdir -p "$work/some, disks"
    head -c 1M /dev/zero >"$work/some, disks/one"
    head -c 1M /dev/zero >"$work/two"
    expect 0 vm --disk "$work/some, disks/one" --disk "$work/two" -- \
        bash -c 'n=0; for disk in $SHALE_DISKS; do n=$((n + 1)); echo "$n" | dd of="$disk" conv=fsync bs=512 status=none; done' &&
        same 1 "$(head -n 1 "$work/some, disks/one" | tr -d '\0')" && same 2 "$(head -n 1 "$work/two" | tr -d '\0')"
}

each_base_is_what_was_asked_for() {
    local base bases=(ext4 xfs btrfs tmpfs)
    [[ $kernel == bare ]] && bases=(ext4 tmpfs)
    for base in "${bases[@]}"; do
        same "$base" "$(vm --base "$base" -- findmnt -no FSTYPE /scratch)" || return
    done
}

module_and_tools_are_there() {
    expect 0 vm -- sh -c 'grep -qw shale /proc/filesystems && command -v shale && rmmod shale && modprobe shale' >/dev/null
}

# The first time they are fetched, and the module is built.
kernel_is_the_one_that_was_asked_for() {
    local version seconds=1800
    for version in 6.1 6.12 7.3; do
        same "$version" "$(vm --kernel "$version" -- uname -r | grep -oE '^[0-9]+\.[0-9]+')" || return
    done
}

as_overlay_the_module_stands_in_for_overlayfs() {
    local script='cd /scratch && mkdir l u w m && mount -t overlay -o lowerdir=l,upperdir=u,workdir=w none m &&
        ! grep -w shale /proc/filesystems && modinfo -n overlay' seconds=600
    [[ $(vm --as overlay -- sh -c "$script") == */updates/overlay.ko ]] && return
    grep -q 'overlay built in' "$work/errors" && skip="overlay is built into this kernel" && return
    sed 's/^/#   /' "$work/errors"
    return 1
}

overlayfs_is_there_to_compare_with() {
    vm -- sh -c 'modprobe -q overlay; grep -qw overlay /proc/filesystems || exit 77
        cd /scratch && mkdir l u w m && mount -t overlay -o lowerdir=l,upperdir=u,workdir=w none m'
    local status=$?
    ((status != 77)) || { skip="this kernel has no overlayfs"; return 0; }
    same 0 "$status"
}

overlayfs_is_not_there() {
    expect 0 vm -- sh -c '! grep -w overlay /proc/filesystems && ! modprobe overlay'
}

file_handles_are_not_there() {
    expect 0 vm -- sh -c 'grep -q " vfs_open$" /proc/kallsyms && ! grep exportfs /proc/kallsyms'
}

kernel_warning_is_99() {
    expect 99 vm -- sh -c 'echo "WARNING: CPU: 0 PID: 1 at self/test.c:1" >/dev/kmsg' &&
        grep -q 'at self/test.c:1' "$work/errors"
}

kernel_warning_wins_over_the_commands_failure() {
    expect 99 vm -- sh -c 'echo "BUG: KASAN: use-after-free in self_test" >/dev/kmsg; exit 3'
}

line_that_mentions_a_warning_is_none() {
    expect 0 vm -- sh -c 'echo "self-test: warning: a BUG_ON, an Oops and a WARNING in one line" >/dev/kmsg'
}

panic_is_99() {
    expect 99 vm -- sh -c 'echo c >/proc/sysrq-trigger; sleep 100' && grep -q 'Kernel panic' "$work/errors"
}

bad_usage_is_2() {
    expect 2 vm --kernel none -- true && expect 2 vm --base none -- true && expect 2 vm --as none -- true &&
        expect 2 vm --quick -- true && expect 2 "$run" test --quick-on 6.12,none 2>"$work/errors" &&
        expect 2 "$run" test --share /tmp 2>"$work/errors" && expect 2 vm --share /nowhere/at-all -- true &&
        expect 2 vm --disk /nowhere/at-all -- true &&
        expect 2 vm true && expect 2 vm -- && expect 2 "$run" no-such-command 2>"$work/errors"
}

two_machines_at_once() {
    vm -- true &
    local other=$! status
    vm -- sh -c 'exit 5'
    status=$?
    wait "$other" && same 5 "$status"
}

# In a session of its own: what is left of it is seen by its number.
interrupt_leaves_nothing_behind() {
    local signal leader status
    for signal in INT TERM HUP; do
        mkfifo "$work/output"
        setsid "$run" vm --kernel "$kernel" -- sh -c 'echo started; sleep 1000' >"$work/output" 2>"$work/errors" &
        leader=$!
        read -r _ <"$work/output"
        rm "$work/output"
        # A terminal's Ctrl-C reaches the whole group, a kill the one process.
        if [[ $signal == INT ]]; then kill -INT -- "-$leader"; else kill -"$signal" "$leader"; fi
        wait "$leader"
        status=$?
        same "$((128 + $(kill -l "$signal")))" "$status" || return
        same "" "$(pgrep -a --session "$leader")" || return
    done
}

# --- The debug kernel's detectors: each fires on a bug of its kind ---------------

# reported NAME PATTERN: the bug NAME of misbehave.c fails the run, with words like PATTERN.
reported() {
    build_misbehave && expect 99 vm -- insmod "$misbehave/misbehave.ko" "what=$1" && has_said "$2"
}

# Where the guest sees it, too.
misbehave=$(dirname "$run")/build/vm/misbehave

build_misbehave() {
    mkdir -p "$misbehave"
    cp "$(dirname "$0")"/misbehave/* "$misbehave/"
    make -C "$kernel_dir/headers" M="$misbehave" modules >"$work/errors" 2>&1 && return
    sed 's/^/#   /' "$work/errors"
    return 1
}

has_said() {
    grep -qE "$1" "$work/errors" && return
    echo "# nothing like '$1' in:"
    sed 's/^/#   /' "$work/errors"
    return 1
}

counted_machine_waits_no_time() {
    SECONDS=0
    expect 0 vm --counted -- sleep 10000 && ((SECONDS < 240))
}

# The same work is the same number, whatever else the host does: once the guest has all that it takes. While it waits for
# the host's files, its clock jumps.
counted_machine_counts_instructions() {
    # shellcheck disable=SC2016 # for the guest
    expect 0 vm --counted -- bash -c '
        work() { local i begin=${EPOCHREALTIME/.}; for ((i = 0; i < 20000; i++)); do :; done; took=$((${EPOCHREALTIME/.} - begin)); }
        work
        work
        work; first=$took
        work; second=$took
        echo "first: $first, second: $second, in thousands of instructions"
        ((first > 1000 && (first - second) ** 2 * 100 ** 2 < first ** 2))' >"$work/counts" || { cat "$work/counts"; return 1; }
}

leak_is_reported() {
    reported leak 'unreferenced object .*\(size 1[0-9]+\)' && has_said 'leak\+0x.* \[misbehave\]'
}

overflow_is_reported() {
    reported overflow 'KASAN: slab-out-of-bounds in overflow'
}

vmalloc_overflow_is_reported() {
    reported vmalloc_overflow 'KASAN: vmalloc-out-of-bounds in vmalloc_overflow'
}

use_after_free_is_reported() {
    reported use_after_free 'KASAN: slab-use-after-free in use_after_free'
}

sleep_in_atomic_is_reported() {
    reported sleep_in_atomic 'BUG: sleeping function called from invalid context'
}

lock_order_is_reported() {
    reported lock_order 'WARNING: possible circular locking dependency detected'
}

list_twice_is_reported() {
    reported list_twice 'list_add double add'
}

free_active_is_reported() {
    reported free_active 'ODEBUG: free active .* object type: timer_list'
}

shift_is_reported() {
    reported shift 'UBSAN: shift-out-of-bounds in .*misbehave.c'
}

# One of the next allocations fails, and a task is told so.
memory_fails_on_demand() {
    expect 0 vm -- bash -c '
        echo N >/sys/kernel/debug/failslab/ignore-gfp-wait
        for ((nth = 1; nth < 30; nth++)); do
            (echo "$nth" >/proc/self/fail-nth; : >"/scratch/$nth")
        done' && has_said 'Cannot allocate memory'
}

echo "KTAP version 1"
echo "1..${#tests[@]}"
number=0
for test in "${tests[@]}"; do
    number=$((number + 1)) skip=
    if "$test"; then
        echo "ok $number - ${test//_/ }${skip:+ # SKIP $skip}"
    else
        echo "not ok $number - ${test//_/ }"
    fi
done
