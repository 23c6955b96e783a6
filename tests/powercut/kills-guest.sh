#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kills-guest.sh DIR SEED [--lies | --rest]: what kills.sh runs in the machine. Looks at both disks, if DIR has journals of a cut,
# which belong to the seed before; then works on them until it is killed, or with --rest not at all.
#
# Says, a line each:
#
#   + BASE HAND NUMBER    a promise
#   - BASE ...            what was found on the disk
#   = good BASE           all is as it has to be
#   = begin               the load begins
#   = failed ...          it cannot go on

set -u
export LC_ALL=C
here=$(cd "${0%/*}" && pwd)
PATH=$PATH:$here/../../build/userspace
# shellcheck source=tests/powercut/lib/cut.sh
source "$here/lib/cut.sh"

dir=$1 seed=$2 mode=${3-}
cut=/run/powercut
bases=(ext4 xfs)
read -ra disks <<<"$SHALE_DISKS"

fail() {
    echo "= failed: $*"
    exit 1
}

# Each base has its own seeds and sets of options. seed_of INDEX SEED
seed_of() {
    echo $(($2 * ${#bases[@]} + $1))
}

# look_at INDEX: at what the last cut has left.
look_at() {
    local base=${bases[$1]} number
    number=$(seed_of "$1" $((seed - 1)))
    options_of "$number"
    if check_cut "$base" "${disks[$1]}" "$number" "$dir/journal.$base" "$options" "${linked[@]}" >"$cut/said" 2>&1; then
        echo "= good $base"
    fi
    sed "s/^/- $base /" "$cut/said" | head -n 40
}

# prepare INDEX: a new upper on the disk, mounted.
prepare() {
    local base=${bases[$1]} where=$cut/$1
    mkdir -p "$where/base" "$where/merged"
    mount -t "$base" "${disks[$1]}" "$where/base" || return
    if [[ -d $where/base/layers ]]; then forget_upper "$where/base"; else make_layers "$where/base"; fi || return
    sync -f "$where/base"
    options_of "$(seed_of "$1" "$seed")"
    mount_stack "$where/base" "$where/merged" "$options"
}

# work INDEX: without an end.
work() {
    local number lies=()
    number=$(seed_of "$1" "$seed")
    options_of "$number"
    [[ $mode != --lies ]] || lies=(--lies)
    shale-powercut load "${rooms[@]}" "${linked[@]}" "${lies[@]}" --prefix "+ ${bases[$1]} " "$number" "$cut/$1/merged" ||
        fail "the load on ${bases[$1]}"
}

mkdir -p "$cut"
modprobe -qa ext4 xfs "$type"
for i in "${!bases[@]}"; do
    [[ ! -e $dir/journal.${bases[i]} ]] || look_at "$i"
done
[[ $mode != --rest ]] || exit 0

for i in "${!bases[@]}"; do
    prepare "$i" || fail "cannot prepare ${bases[i]}"
done
echo "= begin"
for i in "${!bases[@]}"; do
    work "$i" &
done
wait
