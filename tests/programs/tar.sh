#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tar.sh: tar with extended attributes and ACLs, out of the merged tree and into it, to new names and over what is there.

set -u
export LC_ALL=C
# shellcheck source=tests/programs/lib/tree.sh
source "$(dirname "$0")/lib/tree.sh"

# Names of one file stay that when one of them is changed.
open_tree tar index=on
tree=$root/srv/tree
options=(--xattrs "--xattrs-include=*" --acls --numeric-owner --sparse)

create() {
    inside tar --create --file "$2" --format=posix "${options[@]}" --sort=name -C "$1" .
}

extract() {
    inside mkdir -p "$2" && inside tar --extract --file "$1" --same-owner --preserve-permissions "${options[@]}" -C "$2"
}

# Archives of the same tree are the same to the byte, if the times of reading and of changes of inodes are left out.
archive_is_the_same() {
    inside sh -c "tar --create --format=posix --pax-option=delete=atime,delete=ctime --xattrs '--xattrs-include=*' \
        --acls --numeric-owner --sort=name -C $1 . | sha256sum" >"$work/first" &&
        inside sh -c "tar --create --format=posix --pax-option=delete=atime,delete=ctime --xattrs '--xattrs-include=*' \
        --acls --numeric-owner --sort=name -C $2 . | sha256sum" >"$work/second" &&
        cmp "$work/first" "$work/second"
}

# unpack_over OPTION...: on the base, too, for tar itself may lose something.
unpack_over() {
    local place
    for place in /mnt/tree /srv/tree; do
        inside tar --extract "$@" --file /srv/archive --same-owner --preserve-permissions "${options[@]}" -C $place &&
            inside touch -d 2020-01-01 $place || return
    done
}

compare() {
    inside tar --compare --file "$1" "${options[@]}" -C "$2"
}

ok "an archive is made, in the tree" create /srv/tree /srv/archive
ok "tar --compare finds no difference" compare /srv/archive /srv/tree
ok "it is unpacked on the base" extract /srv/archive /mnt/tree
ok "it is the same there" same_trees "$tree" "$volume/tree"
ok "it is unpacked beside" extract /srv/archive /srv/beside
ok "it is the same there, too" same_trees "$tree" "$root/srv/beside"
ok "the base's tree makes the same archive" archive_is_the_same /mnt/tree /srv/tree
ok "it is unpacked into the lower layer's files" unpack_over --overwrite
ok "they are what the base's are then" same_trees "$volume/tree" "$tree"
ok "they are copied up" in_upper srv/tree/dir8/deeper/link10
ok "it is unpacked over them" unpack_over
ok "they are again what the base's are" same_trees "$volume/tree" "$tree"
ok "it is unpacked in their place" unpack_over --recursive-unlink
ok "and so are these" same_trees "$volume/tree" "$tree"
ok "tar --compare still finds no difference" compare /srv/archive /srv/tree
close_tree
