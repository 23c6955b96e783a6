#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# rsync.sh: rsync -aHAXS of a tree with all that an inode can carry, from the merged tree to the base and back, over what is there.

set -u
export LC_ALL=C
# shellcheck source=tests/programs/lib/tree.sh
source "$(dirname "$0")/lib/tree.sh"

# Names of one file stay that when one of them is changed.
open_tree rsync index=on
tree=$root/srv/tree

# copy FROM TO: then neither way finds a difference, by content.
copy() {
    inside rsync -aHAXS --delete "$1/" "$2"
}

no_difference() {
    is "" inside rsync -nicaHAXS --delete "$1/" "$2" && is "" inside rsync -nicaHAXS --delete "$2/" "$1"
}

# Contents, links, attributes, names and kinds, here and there.
change() {
    local dir=$1
    echo more >>"$dir/dir1/file2" && ln "$dir/dir1/file3" "$dir/dir8/linked" && rm "$dir/dir2/deeper/link1" &&
        chown 7:8 "$dir/dir3/file2" && setfattr -n user.text -v other "$dir/dir2/file1" &&
        setfattr -x user.long "$dir/dir2/file2" &&
        setfacl -m u:1002:r "$dir/dir1/file1" && mv "$dir/dir4" "$dir/moved" && rm -r "$dir/dir5" && seq 10 >"$dir/dir5" &&
        setcap cap_chown+ep "$dir/dir3/file3" && ln -sfn elsewhere "$dir/dangling" && touch -d 2010-01-01 "$dir/dir7/file2" &&
        printf x | dd of="$dir/large" bs=1 seek=1000000 conv=notrunc status=none
}

ok "rsync to the base" copy /srv/tree /mnt/tree
ok "rsync finds no difference" no_difference /srv/tree /mnt/tree
ok "nor does anybody" same_trees "$tree" "$volume/tree"
ok "the base's tree is changed" change "$volume/tree"
ok "rsync back, over the lower layer's files" copy /mnt/tree /srv/tree
ok "rsync finds no difference after that" no_difference /mnt/tree /srv/tree
ok "nor does anybody, still" same_trees "$volume/tree" "$tree"
ok "rsync --inplace of a change in the merged tree" inside sh -c \
    'printf y | dd of=/srv/tree/large bs=1 seek=2000000 conv=notrunc status=none && rsync -aHAXS --inplace /srv/tree/ /mnt/tree'
ok "rsync of it finds no difference" no_difference /srv/tree /mnt/tree
ok "rsync within the merged tree" copy /srv/tree /srv/copy
ok "it is the same there" same_trees "$tree" "$root/srv/copy"
ok "rsync of the image's /usr/lib/git-core to the base" copy /usr/lib/git-core /mnt/git-core
ok "rsync finds no difference in it" no_difference /usr/lib/git-core /mnt/git-core
close_tree
