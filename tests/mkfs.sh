# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# File systems for what lives as long as one run: sourced by the host's side of the machine and by test scripts.

# make_file_system ext4|xfs|btrfs FILE: on a sparse file of zeros, which stays sparse.
make_file_system() {
    case $1 in
    ext4) mkfs.ext4 -q -E lazy_itable_init=1,lazy_journal_init=1,nodiscard "$2" ;;
    xfs) mkfs.xfs -q -K "$2" ;;
    btrfs) mkfs.btrfs -q -K "$2" ;;
    esac
}
