#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kernel-make.sh KERNEL DIR ARGUMENT...: make with the headers of a prepared kernel (the directory KERNEL, see
# kernels.sh), for the module in DIR, in the small Debian that this kernel asks for if the host's compiler will not do.

set -u
kernel=$1 module=$2
shift 2

arguments=()
[[ -e $kernel/make-arguments ]] && mapfile -t arguments <"$kernel/make-arguments"
# Type information for BPF would need pahole, the version that built the kernel. Without, none warns of another.
no_pahole=(CONFIG_DEBUG_INFO_BTF_MODULES= 'PAHOLE_VERSION=$(CONFIG_PAHOLE_VERSION)')
command=(make -C "$kernel/headers" M="$module" "${no_pahole[@]}" "${arguments[@]}" "$@")

[[ -L $kernel/chroot ]] || exec "${command[@]}"

# in_chroot COMMAND...: with the kernel and the module at their own paths. What is mounted here is gone with us.
# shellcheck disable=SC2317 # it runs in another shell
in_chroot() {
    local place
    mount -t proc proc "$chroot/proc" || exit
    for place in /dev "$kernel" "$module"; do
        mkdir -p "$chroot$place" && mount --bind "$place" "$chroot$place" || exit
    done
    exec chroot "$chroot" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"
}

chroot=$(realpath "$kernel/chroot") || exit
export chroot kernel module
export -f in_chroot
exec unshare --mount --propagation private bash -c 'in_chroot "$@"' bash "${command[@]}"
