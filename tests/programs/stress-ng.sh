#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# stress-ng.sh: stress-ng's stressors of the classes "filesystem" and "io", one after another, in the merged tree and on the base
# alone at the same time. What fails on the base, too, is no error of ours.
#
#   SHALE_PROGRAMS_STRESS_SECONDS   for each (default 1)
#   SHALE_PROGRAMS_STRESSORS        which (default: all but those below)

set -u
export LC_ALL=C
# shellcheck source=tests/programs/lib/tree.sh
source "$(dirname "$0")/lib/tree.sh"

seconds=${SHALE_PROGRAMS_STRESS_SECONDS:-1}
# They don't touch the file system they are run in: binderfs and procfs have their own, ioprio and eventfd none, and rawdev
# reads a device.
elsewhere=' binderfs eventfd ioprio procfs rawdev '
open_tree stress-ng
mkdir "$root/srv/stress" "$volume/stress"

stressors() {
    local class name
    for class in filesystem io; do
        for name in $(inside stress-ng --class "$class?" 2>&1 | sed -n "s/^class '$class' stressors: //p"); do
            [[ $elsewhere == *" $name "* ]] || echo "$name"
        done
    done | sort -u
}

# stress NAME DIR: prints what it says; the status is stress-ng's
stress() {
    inside timeout --signal=KILL $((seconds + 120)) \
        stress-ng "--$1" 1 --timeout "$seconds" --verify --temp-path "$2" --no-rand-seed
}

# errors SIDE: what it complained of, without process numbers
errors() {
    sed -nE 's/^stress-ng: *((fail|error): *)\[[0-9]+\] */\1/p' "$work/$1" | sort -u
}

# On both sides at the same time.
try() {
    local base_process base merged
    stress "$1" /mnt/stress >"$work/base" 2>&1 &
    base_process=$!
    stress "$1" /srv/stress >"$work/merged" 2>&1
    merged=$?
    wait $base_process
    base=$?
    if ((merged == 0)); then
        result 0 "$1"
    elif ((merged == base)) && [[ -z $(comm -13 <(errors base) <(errors merged)) ]]; then
        skip "$1" "the same on the base: $(errors base | head -n 1)"
    else
        result 1 "$1" || sed 's/^/# /' "$work"/{base,merged}
    fi
}

nothing_is_left() {
    is "" ls -A "$root/srv/stress"
}

if [[ -n ${SHALE_PROGRAMS_STRESSORS-} ]]; then
    read -ra names <<<"$SHALE_PROGRAMS_STRESSORS"
else
    mapfile -t names < <(stressors)
    ok "there are stressors" test ${#names[@]} -gt 30
fi
for name in "${names[@]}"; do
    try "$name"
done
ok "they have left nothing" nothing_is_left
close_tree
