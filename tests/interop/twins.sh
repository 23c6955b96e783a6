#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# twins.sh: two trees over the same lower layers, one mounted by Shale, one by overlayfs, live through the same random
# operations: every answer is compared, and now and then the whole trees. shale-twins (in twins/) makes and compares;
# here it is mounted. There are two forms:
#
#   side by side   one tree stays with Shale
#   in turn        its upper goes back and forth between both drivers, after every $interval operations
#
# In both the trees are unmounted and mounted again that often, and have to show what they showed before. The lower
# layers must stay as they are.
#
# Wants root, both drivers and /scratch. Prints KTAP. For long runs, and to find what a run found:
#
#   SHALE_TWINS_SEEDS        seeds, as words (default 1 2 3)
#   SHALE_TWINS_OPS          operations with each seed in each form
#   SHALE_TWINS_FEATURES     options of all mounts (default: what overlayfs offers for a tree to be changed as any other)
#   SHALE_TWINS_OPTIONS      further options of the mount under test
#   SHALE_TWINS_LAYERS       what the lower layers shall not have, see `shale-model layers`
#   SHALE_TWINS_RUN          further options of `shale-twins`, like --verbose
#   SHALE_TYPE=overlay       compares overlayfs with itself

set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../../build/userspace
# shellcheck source=tests/ktap.sh
source "$here/../ktap.sh"
# shellcheck source=tests/interop/lib/oracle.sh
source "$here/lib/oracle.sh"

read -ra seeds <<<"${SHALE_TWINS_SEEDS:-1 2 3}"
operations=${SHALE_TWINS_OPS:-2000}
interval=500
shale=${SHALE_TYPE:-shale}
oracle=overlay
features=${SHALE_TWINS_FEATURES-redirect_dir=on,index=on,metacopy=on}

echo "KTAP version 1"

[[ ${SHALE_MODULE:-shale} != "$oracle" ]] || skip_all "$oracle is our module here"
modprobe -q "$oracle"
for type in "$shale" "$oracle"; do
    grep -qw "$type" /proc/filesystems || skip_all "this kernel has no $type"
done
! overlayfs_is_old || skip_all "overlayfs of $(uname -r) lacks what is compared"
command -v shale-twins >/dev/null || skip_all "shale-twins is not built"
scratch=$(mktemp -d /scratch/twins.XXXXXX) || skip_all "cannot write to /scratch"
ktap_log=$scratch/log

unmount_trees() {
    umount -q "$scratch"/{tree,twin} 2>/dev/null
}
trap 'unmount_trees; umount -q "$scratch/inner" 2>/dev/null; rm -rf --one-file-system "$scratch"' EXIT

# --- Layers ----------------------------------------------------------------------------------------------------------

# make_layers SEED: $lowers is the value of lowerdir= in the end. The lowest of them depends on the seed, by its rest of 3:
#
#   0   a plain directory, as all the others
#   1   a mount of overlayfs that gives out file handles, which index=on wants. Then it follows no redirects; and whiteouts in
#       it would be listed, and in the way when overlayfs on top removes a directory
#   2   a mount of Shale, which gives out none. overlayfs then leaves the index off, so that hard links of the layers
#       break when they are copied up, and look otherwise after the next mount. So there are none.
#
# ${view[@]} tells shale-twins of that.
make_layers() {
    local layer layers=$scratch/layers number=$(($1 * 10)) without=() no_links=() inner_options=ro
    inner='' view=()
    case $(($1 % 3)) in
    1) inner=$oracle view=(--several-fs) without=(no-redirects no-whiteouts) inner_options+=,redirect_dir=nofollow,nfs_export=on ;;
    2) inner=$shale view=(--several-fs --no-handles) no_links=(--no-links) ;;
    esac
    rm -rf --one-file-system "$layers"
    # shellcheck disable=SC2086 # words
    mkdir -p "$layers"/{top,low} && shale-model layers "$1" 2 "$layers/top" ${SHALE_TWINS_LAYERS-} &&
        shale-model layers "$(($1 + 500000))" 2 "$layers/low" ${SHALE_TWINS_LAYERS-} "${without[@]}" || return
    for layer in "$layers"/*/*; do
        number=$((number + 1))
        shale-twins ornament "${no_links[@]}" "$number" "$layer" || return
    done
    lowers=$layers/top/1:$layers/top/2:$layers/low/1:$layers/low/2
    [[ -n $inner ]] || return 0
    lowers=$layers/top/1:$layers/top/2:$scratch/inner
    mount -t "$inner" -o "$inner_options,lowerdir=$layers/low/1:$layers/low/2" inner "$scratch/inner"
}

show_layers() {
    local layer
    for layer in "$scratch"/layers/*/*; do
        shale-twins show "$layer" || return
    done
}

forget_layers() {
    [[ -z $inner ]] || umount "$scratch/inner"
}

# --- Mounts ----------------------------------------------------------------------------------------------------------

# mount_tree NAME TYPE [OPTIONS]: with nodev, since an open device answers for itself.
mount_tree() {
    mkdir -p "$scratch/$1".{upper,work} &&
        mount -t "$2" -o "nodev,lowerdir=$lowers,upperdir=$scratch/$1.upper,workdir=$scratch/$1.work,$features${3:+,$3}" \
            "$1" "$scratch/$1"
}

# mount_both TYPE: the tree by this driver, and its twin
mount_both() {
    mount_tree tree "$1" "${SHALE_TWINS_OPTIONS-}" && mount_tree twin "$oracle"
}

unmount_both() {
    umount "$scratch/tree" && umount "$scratch/twin" && are_empty "$scratch"/{tree,twin}.work/work
}

# are_sound NAME...: what their mounts left is nothing that fsck has to repair, or somebody to decide. The lower layers are random.
are_sound() {
    local name
    for name; do
        # shellcheck disable=SC2086 # one word for each layer
        shale fsck --json --upper "$scratch/$name.upper" --work "$scratch/$name.work" ${lowers//:/ } >"$scratch/fsck"
        /usr/bin/python3 -IBS -c 'import json, sys
found = [f for f in json.load(sys.stdin)["findings"] if f["class"] != "harmless" and not f["in_lower"]]
print(*found, sep="\n", end="\n" if found else "")
sys.exit(bool(found))' <"$scratch/fsck" || return
    done
}

# But for the whiteout that both keep there, to make others of it by link(2).
are_empty() {
    local left
    left=$(find "$@" -mindepth 1 ! -type c) && [[ -z $left ]] && return
    echo "left in the work directory: $left"
    return 1
}

forget_uppers() {
    unmount_trees
    rm -rf --one-file-system "$scratch"/{tree,twin}.{upper,work}
}

# --- Runs ------------------------------------------------------------------------------------------------------------

# driver_of FORM PART
driver_of() {
    if [[ $1 == "in turn" ]] && (($2 % 2)); then
        echo "$oracle"
    else
        echo "$shale"
    fi
}

show_tree() {
    # shellcheck disable=SC2086 # words
    shale-twins show "${view[@]}" ${SHALE_TWINS_RUN-} "$scratch/tree"
}

# shows_the_same WHEN: what the tree showed before it was unmounted.
shows_the_same() {
    show_tree >"$scratch/shown" || return
    diff -U 0 "$scratch/shown.before" "$scratch/shown" && return
    echo "after $1 shows another tree than before it was mounted"
    return 1
}

# run_part FORM SEED PART NUMBER-OF-OPERATIONS: adds to $made those that were made. Status 2 when the trees parted.
run_part() {
    local type status count
    type=$(driver_of "$1" "$3")
    mount_both "$type" || return 1
    [[ $fresh == yes ]] || shows_the_same "part $3, $type" || return 1
    # shellcheck disable=SC2086 # words
    shale-twins run "${view[@]}" ${SHALE_TWINS_RUN-} "$(($2 * 1000 + $3))" "$4" "$scratch"/{tree,twin} >"$scratch/run"
    status=$?
    cat "$scratch/run"
    count=$(sed -n '$ s/ operations$//p' "$scratch/run")
    made=$((made + ${count:-0}))
    ((status == 0)) || return "$status"
    shale verify "$scratch/tree" && shale verify "$scratch/twin" || return 1
    show_tree >"$scratch/shown.before" && unmount_both && are_sound tree twin || return 1
}

# run_form FORM SEED: where the trees part for a reason that is tolerated, it goes on with fresh ones.
run_form() {
    local part left fresh=yes
    made=0 nr_trees=1
    for ((part = 0; made < operations; part++)); do
        left=$((operations - made))
        run_part "$1" "$2" "$part" $((left < interval ? left : interval))
        case $? in
        0) fresh=no ;;
        2)
            forget_uppers
            fresh=yes nr_trees=$((nr_trees + 1))
            ;;
        *) return 1 ;;
        esac
    done
}

# notices OPERATION: when one tree has not seen operations of this kind, that is found.
notices() {
    local status
    mount_both "$shale" || return
    shale-twins run --leave-out "$1" 1 1000 "$scratch"/{tree,twin}
    status=$?
    unmount_trees
    ((status == 1))
}

mkdir "$scratch"/{tree,twin,inner}
total=0
for seed in "${seeds[@]}"; do
    ok "layers of seed $seed" make_layers "$seed" || give_up
    show_layers >"$scratch/layers.before"
    for form in "side by side" "in turn"; do
        ok "$form, seed $seed" run_form "$form" "$seed"
        echo "# $made operations on $nr_trees trees"
        total=$((total + made))
        forget_uppers
    done
    show_layers >"$scratch/layers.after"
    ok "no layer of seed $seed has changed" diff -U 0 "$scratch"/layers.{before,after}
    forget_layers
done

make_layers 3 >/dev/null
for operation in create rename chmod lsetxattr; do
    ok "that one tree has not seen any $operation, is found" notices "$operation"
    forget_uppers
done

echo "# $total operations in all, $SECONDS s"
finish
