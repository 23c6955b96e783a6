#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Random messages to the module's netlink family while mounts come and go (netlink-fuzz.py makes them of the
# specification): the family goes on answering, and nothing is left behind. What the kernel thinks of it is in its log.
# For longer: SHALE_FUZZ_SECONDS, SHALE_FUZZ_SEED.

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/ktap.sh
source "$here/../ktap.sh"

module=${SHALE_MODULE:-shale}
base=$(mktemp -d "${SHALE_SCRATCH:-/scratch}/fuzz.XXXXXX")
ktap_log=$base/log
cd "$base" || exit
mkdir low top upper work merged low/dir other_low other_upper other_work other
echo text >low/dir/file
echo text >top/file

users() {
    cat "/sys/module/$module/refcnt" 2>/dev/null || echo unknown
}

come_and_go() {
    while :; do
        mount -t "$module" -o lowerdir=other_low,upperdir=other_upper,workdir=other_work none other || exit
        touch other/file
        umount other || exit
    done
}

fuzz() {
    mount -t "$module" -o lowerdir=top:low,upperdir=upper,workdir=work none merged || return
    before=$(users)
    come_and_go &
    local pid=$! status
    "$here/netlink-fuzz.py" "$here/../../include/netlink/shale.yaml" "${SHALE_FUZZ_SECONDS:-10}" "${SHALE_FUZZ_SEED:-1}" \
        merged merged/dir low top upper work low/dir other /tmp
    status=$?
    kill "$pid" && wait "$pid" 2>/dev/null
    umount other 2>/dev/null
    return $status
}

nothing_is_left() {
    echo new >merged/new && [[ $(<upper/new) == new ]] &&
        { [[ $(users) == "$before" ]] || { echo "# users of the module: $before before, $(users) now"; false; }; } &&
        umount merged
}

echo "KTAP version 1"
ok "random messages are answered or refused" fuzz
ok "nothing is left of them: the mount can be written and unmounted" nothing_is_left
finish
