# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Boots the initramfs of the system in $root, with a small root file system of its own that says what it sees.

# shellcheck source=tests/vm/accelerator.sh
source "$tree/tests/vm/accelerator.sh"

say() {
    echo "$*"
}

# An initramfs with what the test's machine needs, and whatever the package shale adds.
make_initramfs() {
    printf '%s\n' virtio_pci virtio_blk >>"$root/etc/initramfs-tools/modules" &&
        in_root update-initramfs -c -k "$release" &&
        in_root lsinitramfs "/boot/initrd.img-$release" | grep -E '/shale\.ko|scripts/init-bottom/shale' | tee "$work/found" &&
        [[ $(wc -l <"$work/found") == 2 ]]
}

# The lower layer: busybox, and an init that looks around.
make_root_disk() {
    local dir=$work/tiny file
    mkdir -p "$dir"/{bin,sbin,dev,proc,sys,run,etc,lib,lib64,usr}
    while read -r file; do
        install -D "$root$file" "$dir$file"
    done < <(in_root sh -c 'echo /bin/busybox; ldd /bin/busybox | grep -o "/[^ ]*"')
    [[ -x $dir/bin/busybox ]] || return
    cp "$tree/tests/packaging/lib/initramfs-init.sh" "$dir/sbin/init"
    echo below >"$dir/etc/lower"
    mke2fs -q -t ext4 -d "$dir" "$work/root.img" 64M && mke2fs -q -t ext4 "$work/upper.img" 64M
}

arguments="console=ttyS0 panic=-1 oops=panic no_timer_check mitigations=off random.trust_cpu=on reboot=t quiet"

# boot_on UPPER NAME...: boots with that writable layer; the guest passes exactly the tests with those names.
boot_on() {
    local upper=$1 accelerator
    shift
    cache=$SHALE_CACHE kernel_dir=$SHALE_KERNEL choose_accelerator
    timeout --kill-after=5 240 qemu-system-x86_64 -M pc,vmport=off "${accelerator[@]}" -m 1024 -smp 1 \
        -nodefaults -no-user-config -display none -no-reboot -serial "file:$work/console" \
        -kernel "$SHALE_KERNEL/vmlinux" -initrd "$root/boot/initrd.img-$release" \
        -drive "file=$work/root.img,if=virtio,format=raw,cache=unsafe" \
        -drive "file=$work/upper.img,if=virtio,format=raw,cache=unsafe" \
        -append "$arguments root=/dev/vda rootfstype=ext4 ro shale_upper=$upper" </dev/null
    tr -d '\r' <"$work/console" | tee "$work/console.txt" | tail -n 40
    [[ $(sed -n 's/^shale-test: pass //p' "$work/console.txt") == "$(printf '%s\n' "$@")" ]]
}
