# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the scripts here share: the image (lib/make-image.sh) as a merged tree over /scratch, whose file system is the base of
# all layers and of the upper. A script that fails is run once more in a plain copy of the image, on the base alone, so that
# one can see whose error it is.
#
#   SHALE_PROGRAMS_IMAGE    the directory of the image
#   SHALE_PROGRAMS_TREE     "plain": in the copy, now
#   SHALE_TYPE=overlay      asks the same of overlayfs
#
# A script calls open_tree NAME, then `ok` of ../ktap.sh as it likes, then close_tree.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/ktap.sh
source "$here/../ktap.sh"

store=/scratch/programs
layers=(data programs base)     # the top-most first

# open_tree NAME [OPTION,...]: mounted so. From then on there are
#   $root     the tree
#   $volume   a directory of the base, in the tree as /mnt
open_tree() {
    work=$store/$1 root=$store/$1/tree volume=$store/$1/volume
    [[ -z ${SHALE_PROGRAMS_TREE-} ]] || work=$store/$1.plain root=$store/$1.plain/tree volume=$store/$1.plain/volume
    ktap_log=$work/log mount_options=${2-}
    tree_type=${SHALE_TYPE:-${SHALE_MODULE:-shale}}
    echo "KTAP version 1"
    [[ -e ${SHALE_PROGRAMS_IMAGE:-/nowhere}/listing ]] || skip_all "SHALE_PROGRAMS_IMAGE names no image"
    [[ -w /scratch ]] || skip_all "there is no /scratch"
    mkdir -p "$root" "$volume"
    trap unmount_tree EXIT
    ok "the image is there" make_tree || give_up
}

make_tree() {
    unpack_layers || return
    if [[ -n ${SHALE_PROGRAMS_TREE-} ]]; then copy_layers; else mount_layers; fi && mount_places
}

# Once for all scripts in a machine.
unpack_layers() {
    local layer pids=() pid
    [[ ! -e $store/unpacked ]] || return 0
    for layer in "${layers[@]}"; do
        mkdir -p "$store/layers/$layer" || return
        tar --extract --file "$SHALE_PROGRAMS_IMAGE/$layer.tar" --numeric-owner --same-owner --preserve-permissions \
            --xattrs --xattrs-include='*' --acls --directory "$store/layers/$layer" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || return
    done
    touch "$store/unpacked"
}

mount_layers() {
    local lower
    lower=$(printf ":$store/layers/%s" "${layers[@]}")
    mkdir "$work"/{upper,work} &&
        mount -t "$tree_type" -o "lowerdir=${lower#:},upperdir=$work/upper,workdir=$work/work${mount_options:+,$mount_options}" \
            programs "$root"
}

# Whiteouts lie in the middle layer alone.
copy_layers() {
    local hidden
    cp -a --reflink=auto "$store/layers/base/." "$root" || return
    while read -r hidden; do
        rm -rf "${root:?}/$hidden" || return
    done < <(cd "$store/layers/programs" && find . -type c)
    cp -a --reflink=auto "$store/layers/programs/." "$store/layers/data/." "$root" || return
    find "$root" -xdev -type c ! -path '*/srv/tree/*' -delete
}

mount_places() {
    mount --bind "$volume" "$root/mnt" && mount --rbind /dev "$root/dev" && mount -t proc proc "$root/proc" &&
        mount -t sysfs sysfs "$root/sys"
}

unmount_tree() {
    local place
    for place in mnt dev proc sys; do
        umount -q -R "$root/$place"
    done
    [[ -n ${SHALE_PROGRAMS_TREE-} ]] || umount "$root"
}

# inside COMMAND...: in the tree.
inside() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "$@"
}

# close_tree: the end of a script.
close_tree() {
    ok "the tree is unmounted" unmount_tree
    trap - EXIT
    if ((ktap_failed)) && [[ -z ${SHALE_PROGRAMS_TREE-} ]]; then
        echo "# the same on the base alone:"
        SHALE_PROGRAMS_TREE=plain "$0" | sed 's/^/#   /'
    fi
    echo "# $SECONDS s"
    finish
}

# is TEXT COMMAND...: the command prints just that.
is() {
    local wanted=$1 said
    shift
    said=$("$@") || { echo "$said"; return 1; }
    [[ $said == "$wanted" ]] && return
    printf 'wanted:\n%s\ngot:\n%s\n' "$wanted" "$said"
    return 1
}

# prints PATTERN COMMAND...: the command succeeds, and a line of what it prints matches.
prints() {
    local pattern=$1 said
    shift
    said=$("$@" 2>&1) || { echo "$said"; return 1; }
    echo "$said"
    grep -qE -- "$pattern" <<<"$said"
}

# same_trees DIR DIR: all that treedump.py sees.
same_trees() {
    local dump=$here/../interop/treedump.py
    diff <(/usr/bin/python3 -IBS "$dump" "$1") <(/usr/bin/python3 -IBS "$dump" "$2")
}

# in_upper PATH: it was copied up, or made there. A plain copy has no upper.
in_upper() {
    [[ -n ${SHALE_PROGRAMS_TREE-} || -e $work/upper/$1 ]]
}
