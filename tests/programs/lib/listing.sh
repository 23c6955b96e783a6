# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

# image_listing DIR: a line for each name in it, with what lies in its inode and doesn't depend on the file system below.
image_listing() {
    find "$1" -xdev -mindepth 1 \( -type d -printf '%P %M %U:%G\n' -o -printf '%P %M %U:%G %n %s %T@ %l\n' \)
}
