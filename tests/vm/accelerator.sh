# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# KVM where it works, QEMU's own emulation elsewhere.

# choose_accelerator: leaves QEMU's arguments in $accelerator.
choose_accelerator() {
    # shellcheck disable=SC2154 # what was asked for
    if [[ $counted == yes ]]; then
        # One instruction is one nanosecond, on the guest's clock as well; who waits, waits no time.
        accelerator=(-accel "tcg,tb-size=512" -icount "shift=0,sleep=off" -rtc "base=2026-01-01,clock=vm" -seed 1 -cpu Nehalem)
    elif kvm_works; then
        accelerator=(-accel kvm -cpu host)
    else
        # Nehalem emulates faster than newer models: fewer features for the guest to use. The processors take turns, for
        # QEMU's threads lose changes of code: see README.md.
        accelerator=(-accel "tcg,thread=${SHALE_EMULATION_THREADS:-single},tb-size=512" -cpu Nehalem)
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
