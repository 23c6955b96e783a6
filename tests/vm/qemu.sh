# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A guest under QEMU: a Debian kernel, which finds its host through virtiofs.

run_qemu_guest() {
    choose_accelerator
    start_file_server host always
    start_file_server share auto
    start_qemu
    stop_file_servers
}

# start_file_server TAG CACHE: the host's root, as virtiofs. The guest mounts
# "host" read-only and sees all of it, and "share" writable and sees the shared
# directories alone. "host" may remember names for long: nobody changes the
# host's programs meanwhile. "share" forgets what it has read of a file with each open, and QEMU
# what it has translated of it: programs are run from "host". trusted.* xattrs, which layers have,
# need the capability.
start_file_server() {
    local tag=$1 cache_mode=$2 socket=$run_dir/$1.sock tries
    rm -f "$socket"
    # A process of the pool that virtiofsd starts by default costs each request a switch.
    setpriv --pdeathsig KILL /usr/lib/qemu/virtiofsd --socket-path="$socket" --thread-pool-size=0 \
        -o source=/ -o cache="$cache_mode" -o xattr -o modcaps=+sys_admin -o sandbox=chroot \
        -o log_level=err <&- >>"$run_dir/$tag.log" 2>&1 &
    file_servers+=($!)
    for ((tries = 0; tries < 500; tries++)); do
        [[ -S $socket ]] && return
        sleep 0.01
    done
    die "vm: virtiofsd does not start: $(cat "$run_dir/$tag.log")"
}

stop_file_servers() {
    local pid
    for pid in "${file_servers[@]}"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    file_servers=()
}

# --- QEMU --------------------------------------------------------------------

start_qemu() {
    local memory arguments n
    memory=$(guest_memory)

    # no_timer_check: under load one boot in twenty fails without.
    arguments="$(kernel_arguments) console=ttyS0 no_timer_check nokaslr mitigations=off reboot=t
        rcupdate.rcu_cpu_stall_timeout=120"
    [[ $counted == no ]] || arguments+=" tsc=reliable"

    local qemu=(
        qemu-system-x86_64 -M "pc,vmport=off,memory-backend=memory" "${accelerator[@]}"
        -m "$memory" -smp "$(guest_processors)"
        -object "memory-backend-memfd,id=memory,size=${memory}M,share=on"
        -nodefaults -no-user-config -display none -no-reboot
        -kernel "$kernel_dir/vmlinux" -initrd "$run_dir/initramfs.cpio" -append "${arguments//$'\n'/ }"
        -serial "file:$run_dir/console.log"
        -device virtio-serial-pci
        -chardev "socket,id=port,fd=3" -device "virtserialport,chardev=port,name=shale"
        -chardev "socket,id=host,path=$run_dir/host.sock"
        -device "vhost-user-fs-pci,chardev=host,tag=host,queue-size=1024"
        -chardev "socket,id=share,path=$run_dir/share.sock"
        -device "vhost-user-fs-pci,chardev=share,tag=share,queue-size=1024"
        -drive "file=$run_dir/scratch,if=none,id=scratch,format=raw,cache=unsafe,discard=unmap"
        -device "virtio-blk-pci,drive=scratch"
        -device virtio-rng-pci
    )
    for ((n = 1; n <= ${#disks[@]}; n++)); do
        qemu+=(-drive "file=$run_dir/disk$n,if=none,id=disk$n,format=raw,cache=unsafe,discard=unmap"
            -device "virtio-blk-pci,drive=disk$n")
    done
    run_relay "${qemu[@]}"
}

# A second processor shows races; a third only takes time from the others. Instructions are counted on one.
guest_processors() {
    local online
    online=$(nproc)
    [[ $counted == no ]] || online=1
    echo $((online < 2 ? online : 2))
}

