# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A guest that is a User Mode Linux kernel: a program, which reaches its host by itself.

# The port is a serial line on descriptor 3. All of the machine lives in a process name space,
# so that it ends as a whole, and its memory is a file on a tmpfs that only it can see.
run_uml_guest() {
    local memory arguments n
    memory=$(guest_memory)
    arguments="$(kernel_arguments) mem=${memory}M initrd=$run_dir/initramfs.cpio
        con=null con0=null,fd:1 ssl=null ssl0=fd:3 ubd0=$run_dir/scratch uml_dir=$run_dir/ umid=uml"
    for ((n = 1; n <= ${#disks[@]}; n++)); do
        arguments+=" ubd$n=$run_dir/disk$n"
    done
    mkdir -p "$run_dir/memory"
    # shellcheck disable=SC2086    # the arguments are words
    run_relay unshare --mount --pid --fork --kill-child \
        sh -c "$uml_start" sh "$run_dir" "$((memory + 16))" "$kernel_dir/linux" $arguments
}

# What happens in these name spaces. A guest file that is open is one on the host, too; a
# panic ends in abort(). Each system call in the guest goes from one process of the host's to another and back: beside
# others that keep the processors busy it would wait each time, were it not preferred.
readonly uml_start='
    dir=$1 size=$2
    shift 2
    mount -t tmpfs -o "size=${size}m,mode=700" memory "$dir/memory" || exit
    ulimit -n "$(ulimit -H -n)"
    ulimit -c 0
    renice -n -10 $$ >/dev/null 2>&1
    TMPDIR=$dir/memory "$@" >"$dir/console.log" 2>&1
    exit'
