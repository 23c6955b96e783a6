# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Whether the kernel's own overlayfs can judge Shale.

# overlayfs_is_old: before 6.8 it has neither lowerdir+, nor escaped marks, nor whiteouts by attribute.
overlayfs_is_old() {
    [[ $(printf '%s\n' 6.8 "$(uname -r)" | sort -V | head -n 1) != 6.8 ]]
}
