# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Boots a prepared kernel and runs one command in it: what is common to the two
# kinds of machine, QEMU (qemu.sh) and User Mode Linux (uml-guest.sh).

# Exit status of a run whose kernel log holds a report, or whose guest died.
readonly kernel_complained=99

# run_in_vm: boots $kernel_dir with the scratch file system $base, the host
# directories ${shares[@]}, its files ${disks[@]} as further disks, and the command
# ${command[@]}; $terminal and $counted are yes or no. $module_dir and $module say which
# modules the guest sees and which it loads first (none if empty). Returns the command's
# exit status.
run_in_vm() {
    local attempt machine=qemu
    [[ -e $kernel_dir/linux ]] && machine=uml
    make_run_dir
    name_disks
    make_initramfs
    write_job
    for attempt in 1 2; do
        make_scratch_disk
        "run_${machine}_guest"
        # A boot may fail on a machine under load; a command is never run twice.
        [[ -e $run_dir/ready || -e $run_dir/failed || $relay_status -gt 128 ]] && break
        [[ $attempt == 1 ]] && say "vm: the guest did not come up; trying once more"
    done
    judge
    local status=$?
    clean_up_vm
    return $status
}

# The lock is held by all processes of the run, so that what a killed run could
# not remove is known to be nobody's.
make_run_dir() {
    local old
    for old in /var/tmp/shale-vm.*; do
        [[ -e $old/lock ]] && flock --nonblock "$old/lock" rm -rf "$old"
    done
    run_dir=$(mktemp -d /var/tmp/shale-vm.XXXXXX) || die "vm: cannot make a directory in /var/tmp"
    exec {run_lock}>"$run_dir/lock"
    flock "$run_lock"
}

# Everything that a run leaves in the machine. Called again at exit, however that comes about.
clean_up_vm() {
    stop_file_servers
    [[ -n ${run_dir:-} ]] || return 0
    exec {run_lock}>&-
    rm -rf "$run_dir"
    run_dir=
}

# --- What the guest is given -------------------------------------------------

# Under names that no machine takes for anything else: $run_dir/disk1 and so on.
name_disks() {
    local n
    for ((n = 1; n <= ${#disks[@]}; n++)); do
        ln -s "${disks[n - 1]}" "$run_dir/disk$n"
    done
}

# What the guest calls them: "/dev/vdb /dev/vdc", behind the scratch disk.
devices_of_disks() {
    local n prefix=/dev/vd letters=abcdefghijklmnop devices=()
    [[ $machine == qemu ]] || prefix=/dev/ubd
    for ((n = 1; n <= ${#disks[@]}; n++)); do
        devices+=("$prefix${letters:n:1}")
    done
    echo "${devices[*]}"
}

make_initramfs() {
    local root=$run_dir/initramfs module n=0
    mkdir -p "$root"/{dev,proc,sys,host,share,new,modules}
    cp "$build/vm/guest-init" "$root/init"
    while read -r module; do
        cp "$kernel_dir/$module" "$root/modules/$n"
        n=$((n + 1))
    done <"$kernel_dir/boot-modules"
    # Before it has mounted /dev, init's own messages need a console.
    mknod "$root/dev/console" c 5 1
    (cd "$root" && find . -print0 | cpio --null --quiet -o -H newc) >"$run_dir/initramfs.cpio"
    rm -rf "$root"
}

# Keys and values as guest-init.c documents them.
write_job() {
    local word
    {
        printf '%s\0' base "$base" cwd "$(pwd -P)" modules "$module_dir"
        [[ -n $module ]] && printf '%s\0' load "$module"
        [[ $terminal == yes ]] && printf '%s\0' tty yes
        for word in "$tree" "${shares[@]}"; do
            printf '%s\0' share "$word"
        done
        for word in "$build"/{userspace,kselftest}; do
            [[ ! -d $word ]] || printf '%s\0' programs "$word"
        done
        printf '%s\0' env "PATH=$build/userspace:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        printf '%s\0' env "HOME=${HOME:-/root}" env "TERM=${TERM:-dumb}" env USER=root env LOGNAME=root env SHELL=/bin/bash
        for word in LANG LC_ALL LC_CTYPE LANGUAGE COLORTERM NO_COLOR CI; do
            [[ -n ${!word:-} ]] && printf '%s\0' env "$word=${!word}"
        done
        printf '%s\0' env "PWD=$PWD" env SHALE_VM=1 env "SHALE_MODULE=$module" env "SHALE_DISKS=$(devices_of_disks)"
        for word in "${command[@]}"; do
            printf '%s\0' arg "$word"
        done
    } >"$run_dir/job"
}

# Sparse, and gone with the run. With tmpfs it is swap: more than memory holds is wanted there, too.
make_scratch_disk() {
    local disk=$run_dir/scratch
    rm -f "$disk"
    truncate -s 12G "$disk"
    if [[ $base == tmpfs ]]; then mkswap -q "$disk"; else make_file_system "$base" "$disk"; fi \
        >"$run_dir/mkfs.log" 2>&1 || die "vm: cannot make a $base file system: $(cat "$run_dir/mkfs.log")"
}

# --- Starting it ---------------------------------------------------------------

# run_relay COMMAND...: the machine itself, between this run's streams and the guest.
# Leaves the relay's exit status in $relay_status.
run_relay() {
    local relay=("$build/vm/host-relay")
    [[ $terminal == yes ]] && relay+=(-t)
    supervised "${relay[@]}" "$run_dir" "$@"
    relay_status=$?
}

# What each kernel is told. A task or processor that is stuck ends the guest: nothing else
# would end a command that hangs in the kernel.
kernel_arguments() {
    echo "loglevel=5 log_buf_len=4M panic=-1 oops=panic hung_task_panic=1 softlockup_panic=1 watchdog_thresh=30" \
        "norandmaps random.trust_cpu=on rdinit=/init shale_machine=$machine shale_job=$run_dir/job" \
        "${SHALE_GUEST_ARGUMENTS:-}"
}

# In MiB: 3 GiB, less on a small host. It is taken as the guest touches it.
guest_memory() {
    [[ -z ${SHALE_GUEST_MEMORY:-} ]] || { echo "$SHALE_GUEST_MEMORY"; return; }
    awk '/^MemTotal:/ { half = int($2 / 2048); print half < 3072 ? half : 3072 }' /proc/meminfo
}

# --- The verdict ---------------------------------------------------------------

# Looks at what the guest left behind and returns the run's exit status. A report is left in $report_file as well, if that
# is set.
judge() {
    local report
    ((relay_status <= 128)) || return "$relay_status"   # a signal ended us, no verdict
    if ! report=$(cat "$run_dir/kernel.log" "$(console_of_the_dead)" | awk -f "$tree/tests/vm/judge.awk"); then
        printf 'run: vm: the kernel log holds a report:\n%s\n' "$report" >&2
        [[ -z ${report_file:-} ]] || printf '%s\n' "$report" >"$report_file"
        [[ -e $run_dir/status ]] || say "vm: and the guest died before the command ended"
        return "$kernel_complained"
    fi
    [[ -e $run_dir/status ]] && return "$(<"$run_dir/status")"

    show_end_of_console
    [[ -e $run_dir/ready ]] || die "vm: the guest could not be started"
    say "vm: the guest died before the command ended"
    return "$kernel_complained"
}

# A dying guest reaches its console, but no longer the port.
console_of_the_dead() {
    if [[ -e $run_dir/status ]]; then
        echo /dev/null
    else
        tr -d '\r' <"$run_dir/console.log" >"$run_dir/console.txt"
        echo "$run_dir/console.txt"
    fi
}

show_end_of_console() {
    say "vm: the end of its console and of the machine's messages:"
    { tail -n 40 "$run_dir/console.log"; tail -n 20 "$run_dir/machine.log"; } 2>/dev/null | tr -d '\r' | sed 's/^/    /' >&2
}
