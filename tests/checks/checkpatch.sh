#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel's own style checker, at its strictest, over everything written in the kernel's style.

set -u
cd "$(dirname "$0")/../.." || exit

mapfile -d '' files < <(find kmod include -name '*.[ch]' ! -name 'netlink_gen.*' -print0 | sort -z)
perl "$SHALE_LINUX_SOURCE/scripts/checkpatch.pl" --no-tree --strict --terse --show-types --no-summary -f "${files[@]}"
