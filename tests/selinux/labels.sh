#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# labels.sh: labels over copy-up, in a machine of its own whose security module is SELinux, with a policy made for it.
#
# Runs on the host, on the kernel $SHALE_KERNEL_NAME (6.12). Prints KTAP.

set -u
export LC_ALL=C
here=$(cd "${0%/*}" && pwd)
tree=$(realpath "$here/../..")
policy=$tree/build/selinux.policy

mkdir -p "$tree/build"
checkpolicy -U allow -o "$policy" "$here/policy.conf" >&2 || exit 1
SHALE_GUEST_ARGUMENTS="security=selinux" \
    exec "$tree/run" vm --kernel "${SHALE_KERNEL_NAME:-6.12}" -- "$here/labels-guest.sh" "$policy"
