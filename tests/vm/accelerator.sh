# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# KVM where it works, QEMU's own emulation elsewhere.

# choose_accelerator: leaves QEMU's arguments in $accelerator.
choose_accelerator() {
    if kvm_works; then
        accelerator=(-accel kvm -cpu host)
    else
        # Nehalem emulates faster than newer models: fewer features for the guest to use.
        accelerator=(-accel "tcg,thread=multi,tb-size=512" -cpu Nehalem)
    fi
}

# /dev/kvm can exist and a guest hang in it all the same, so one is tried. The
# answer holds as long as the host doesn't reboot.
kvm_works() {
    local verdict=$cache/kvm-verdict boot known_boot='' answer=''
    [[ -r /dev/kvm && -w /dev/kvm ]] || return 1
    boot=$(</proc/sys/kernel/random/boot_id)
    [[ -e $verdict ]] && read -r known_boot answer <"$verdict"
    if [[ $known_boot != "$boot" ]]; then
        say "vm: trying whether KVM works here"
        answer=no
        (try_kvm) 2>/dev/null && answer=yes
        echo "$boot $answer" >"$verdict.$$" && mv "$verdict.$$" "$verdict"
        say "vm: KVM works: $answer"
    fi
    [[ $answer == yes ]]
}

# Without an initramfs the kernel boots, finds no root and panics, which reboots,
# which ends QEMU: a second or two where KVM is sound.
try_kvm() {
    # shellcheck disable=SC2154 # the kernel that was prepared
    timeout --kill-after=1 8 qemu-system-x86_64 -M pc -accel kvm -cpu host -m 512 \
        -nodefaults -no-user-config -display none -no-reboot \
        -kernel "$kernel_dir/vmlinux" -append "panic=-1 reboot=t root=none" <&- >/dev/null 2>&1
}
