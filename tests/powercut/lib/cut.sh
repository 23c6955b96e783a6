# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What a power cut leaves, mounted again and looked at. For the scripts in tests/powercut that run in the guest; each names
# the directory $cut for it, on a file system that goes with the guest.

type=${SHALE_TYPE:-${SHALE_MODULE:-shale}}

# Directories that each hand works in, one after the other; for longer runs.
rooms=(--rooms "${SHALE_POWERCUT_ROOMS:-1}")

# What mounts are made with, in turn. An index keeps the names of a lower file together.
option_sets=(
    "redirect_dir=on,metacopy=on"
    "redirect_dir=on,metacopy=on,index=on"
    "redirect_dir=on,metacopy=off"
    "redirect_dir=on,metacopy=on,index=on,fsync=strict"
)

# options_of NUMBER: leaves them in $options, and in ${linked[@]} what shale-powercut is told of them.
options_of() {
    options=${option_sets[$1 % ${#option_sets[@]}]} linked=()
    [[ $type != overlay ]] || options=${options%,fsync=strict}
    [[ $options != *index=on* ]] || linked=(--linked)
}

# A base as it is after a clean end says nothing new.
check_base() {
    case $1 in
    ext4) e2fsck -fn "$2" ;;
    xfs) xfs_repair -n "$2" ;;
    esac
}

# In the root of a base.
make_layers() {
    mkdir "$1/layers" "$1/upper" "$1/work" && shale-powercut layers "${rooms[@]}" "$1/layers"
}

forget_upper() {
    rm -rf "$1/upper" "$1/work" && mkdir "$1/upper" "$1/work"
}

# mount_stack BASE DIR OPTIONS
mount_stack() {
    mount -t "$type" -o "lowerdir=$1/layers/top:$1/layers/low,upperdir=$1/upper,workdir=$1/work,$3" stack "$2"
}

# check_stack BASE SEED JOURNAL [--linked]: after a cut, as mounted at $cut/merged.
check_stack() {
    local status=0
    shale-powercut check "${rooms[@]}" "${@:4}" "$2" "$1" "$cut/merged" "$3" || status=1
    shows_what_layers_say "$1" || status=1
    return $status
}

# The model knows of no index, by which a name that was never written to shows what another one got.
shows_what_layers_say() {
    shale-model show "$1/upper" "$1/layers/top" "$1/layers/low" >"$cut/expected" &&
        shale-model tree "$cut/merged" >"$cut/shown" &&
        diff -U 0 --ignore-matching-lines='/linked/l[01] ' "$cut/expected" "$cut/shown"
}

# check_cut BASE-TYPE DEVICE SEED JOURNAL OPTIONS [--linked]: all that must hold. The device is not mounted before and after.
check_cut() {
    local status=0
    mkdir -p "$cut/base" "$cut/merged"
    mount -t "$1" "$2" "$cut/base" || return
    if mount_stack "$cut/base" "$cut/merged" "$5"; then
        check_stack "$cut/base" "$3" "$4" "${@:6}" || status=1
        umount "$cut/merged" || status=1
    else
        echo "cannot be mounted again: $5" && status=1
    fi
    umount "$cut/base" || status=1
    check_base "$1" "$2" >"$cut/fsck" 2>&1 || { cat "$cut/fsck"; status=1; }
    return $status
}
