#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holds mounted unions against the reference model in userspace/tree: random layers with every kind
# of mark, mounted; then random changes through the mount; then the same mounted anew. Each time
# the mount has to show what the model computes from the layers.
#
#   tests/interop/model.sh [--seeds N] [--first SEED] [--changes N] [--options O] [TYPE...]
#
# N, SEED: how many seeds, beginning where; N changes with each; O: further mount options.
# TYPE is overlay or shale; without one, both. overlay is the oracle: it shows that the model is
# right (unless our module is loaded under that name, in SHALE_MODULE). A failed seed leaves what was expected and what was shown in the log.

set -u -o pipefail

seeds=8 first=1 changes=200 options='' types=()
while (($#)); do
    case $1 in
    --seeds) seeds=$2; shift ;;
    --first) first=$2; shift ;;
    --changes) changes=$2; shift ;;
    --options) options=,$2; shift ;;
    *) types+=("$1") ;;
    esac
    shift
done
module=${SHALE_MODULE:-shale}
if ((!${#types[@]})); then
    [[ $module == overlay ]] || types=(overlay)
    types+=("$module")
fi

here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../../build/userspace
# shellcheck source=tests/interop/lib/oracle.sh
source "$here/lib/oracle.sh"
if ! command -v shale-model >/dev/null; then
    echo "1..0 # SKIP shale-model is not built"
    exit 0
fi

parent=/scratch
[[ -d $parent ]] || parent=${TMPDIR:-/tmp}
scratch=$(mktemp -d "$parent/model.XXXXXX")
cleanup() {
    umount -q "$scratch/mnt" 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT
mkdir "$scratch/mnt"

# is_supported TYPE
is_supported() {
    grep -qw "$1" /proc/filesystems || modprobe -q "$1" 2>/dev/null
    grep -qw "$1" /proc/filesystems
}

# union TYPE LAYER...: mounts them, with an upper on top if $scratch/upper exists.
union() {
    local type=$1 lowers follow=
    shift
    lowers=$(IFS=: && echo "$*")
    # Kernels are built either way.
    [[ $type == "$module" && $module != overlay ]] || follow=,redirect_dir=follow
    mount -t "$type" model -o "lowerdir=$lowers,upperdir=$scratch/upper,workdir=$scratch/work$follow$options" \
        "$scratch/mnt"
}

# Both list a whiteout that stands in a directory of one layer alone, where nothing is to be hidden:
# no driver leaves one there, and it cannot be looked up.
tolerate() {
    grep -v ' absent$'
}

# without TYPE SEED: marks that this driver does not follow yet: whiteouts that are files, in an upper
without() {
    [[ $1 != "$module" ]] || (($2 % 2 == 0)) || echo no-xattr-whiteouts
}

# same WHEN LAYER...: the mount against the model of these layers
same() {
    local when=$1
    shift
    shale-model show "$@" >"$scratch/expected" &&
        shale-model tree "$scratch/mnt" | tolerate >"$scratch/shown" &&
        diff -u "$scratch/expected" "$scratch/shown" >"$scratch/difference" && return
    echo "# $when:"
    sed 's/^/# /' "$scratch/difference" | head -n 40
    return 1
}

# check_seed TYPE SEED
check_seed() {
    local type=$1 seed=$2 count=$((2 + $2 % 5)) lowers=() layer status=0
    rm -rf "$scratch/layers" "$scratch/upper" "$scratch/work"
    mkdir "$scratch/layers" "$scratch/upper" "$scratch/work"
    # shellcheck disable=SC2046 # words
    shale-model layers "$seed" "$count" "$scratch/layers" $(without "$type" "$seed") || return
    for ((layer = 1; layer <= count; layer++)); do
        lowers+=("$scratch/layers/$layer")
    done
    # Odd seeds have the top-most of the random layers as their upper.
    if ((seed % 2)); then
        rmdir "$scratch/upper"
        mv "$scratch/layers/1" "$scratch/upper"
        lowers=("${lowers[@]:1}")
    fi

    union "$type" "${lowers[@]}" || return
    same "as mounted" "$scratch/upper" "${lowers[@]}" &&
        shale-model change "$seed" "$changes" "$scratch/mnt" &&
        same "after changes" "$scratch/upper" "${lowers[@]}" || status=1
    umount "$scratch/mnt" || return
    ((status == 0)) || return 1

    union "$type" "${lowers[@]}" || return
    same "mounted anew" "$scratch/upper" "${lowers[@]}" || status=1
    umount "$scratch/mnt" || return
    return "$status"
}

echo "TAP version 13"
echo "1..$((seeds * ${#types[@]}))"
number=0 failed=0
for type in "${types[@]}"; do
    reason=
    is_supported "$type" || reason="no file system $type here"
    if [[ $type != "$module" ]] && overlayfs_is_old; then
        reason="overlayfs of $(uname -r) is older than the model"
    fi
    for ((seed = first; seed < first + seeds; seed++)); do
        number=$((number + 1))
        if [[ -n $reason ]]; then
            echo "ok $number $type, seed $seed # SKIP $reason"
        elif check_seed "$type" "$seed"; then
            echo "ok $number $type, seed $seed"
        else
            echo "not ok $number $type, seed $seed"
            failed=$((failed + 1))
        fi
    done
done
((failed == 0))
