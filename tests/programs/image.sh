#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# image.sh: the merged tree is the image, name by name, before anything is changed.

set -u
export LC_ALL=C
# shellcheck source=tests/programs/lib/tree.sh
source "$(dirname "$0")/lib/tree.sh"
# shellcheck source=tests/programs/lib/listing.sh
source "$here/lib/listing.sh"

open_tree image

# File systems are mounted on these.
is_the_image() {
    diff <(grep -v '^\(mnt\|dev\|proc\|sys\) ' "$SHALE_PROGRAMS_IMAGE/listing") \
        <(image_listing "$root" | LC_ALL=C sort | grep -v '^\(mnt\|dev\|proc\|sys\) ')
}

nothing_is_copied_up() {
    [[ -n ${SHALE_PROGRAMS_TREE-} ]] || is "" find "$work/upper" -mindepth 1
}

dpkg_is_content() {
    is "" inside dpkg --audit
}

ok "it has the names of the image" test "$(grep -c . "$SHALE_PROGRAMS_IMAGE/listing")" -gt 10000
ok "each name shows what it does in the image" is_the_image
ok "looking has copied nothing up" nothing_is_copied_up
ok "dpkg finds nothing to complain about" dpkg_is_content
ok "the tree of all kinds of inodes is that of its layer" same_trees "$root/srv/tree" "$store/layers/data/srv/tree"
close_tree
