#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `shale verify --exercise` promises: mounts of Shale and of the kernel's overlayfs do as the model says, over random
# operations; what differs is shrunk to a script; and nothing is left behind. Runs in the guest, as root, with the module
# loaded; speaks KTAP. For long runs:
#
#   SHALE_EXERCISE_OPS     operations on mounts of each type (default 2000)
#   SHALE_EXERCISE_SEED    that of the first thousand; each further one has the next (default 1)

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")
# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
# shellcheck source=tests/interop/lib/oracle.sh
source "$tests/interop/lib/oracle.sh"
# shellcheck disable=SC2154 # made by said.sh
here=$scratch
operations=${SHALE_EXERCISE_OPS:-2000}
seed=${SHALE_EXERCISE_SEED:-1}

# exercise ARGUMENT...: on mounts of its own
exercise() { shale verify --exercise --scratch "$here/dir" "$@"; }
nothing_is_left() { [[ -z $(ls -A dir) ]] && ! grep shale-exercise /proc/mounts; }
mount_one() { mkdir -p low up wk m && echo text >low/file && mount -t "$1" -o "${2-}lowerdir=$here/low:$here/low2,upperdir=$here/up,workdir=$here/wk" none m; }
forget_one() { umount m && rm -rf up wk; }
# In a mount of somebody's, in a directory that goes again.
target_is_as_before() {
    [[ $(ls -A m) == file ]] && [[ $(cat m/file) == text ]]
}
json_tells() {
    exercise --json --seed 5 --ops 300 | /usr/bin/python3 -IBS -c '
import json, sys
told = json.load(sys.stdin)
assert told["seed"] == 5 and told["operations"] == 300 and told["runs"] == 1 and told["difference"] is None, told'
}
# One that has begun, and is told to stop; not by SIGINT, which the shell makes background jobs ignore.
stops_when_interrupted() {
    local process status
    shale verify --exercise --scratch "$here/dir" --seed 1 --ops 100000000 >out 2>&1 &
    process=$!
    await_path "dir/*/upper/*" # its mount is in a namespace of its own
    sleep 0.5
    kill -TERM -- "$process"
    wait "$process"
    status=$?
    cat out
    ((status == 143)) && grep -q "interrupted after" out
}
# A call that begins to fail: found, shrunk to what it takes, and told as a script.
with_seeded_fault() { strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:error=EIO shale verify --exercise --scratch "$here/dir" "$@"; }
finds_seeded_fault() {
    local status
    with_seeded_fault --json --seed 3 --ops 1000 >found 2>err
    status=$?
    cat err found
    ((status == 1)) && grep -q "answer of rename(2): expected .*; seen EIO" err && /usr/bin/python3 -IBS -c '
import json
told = json.load(open("found"))["difference"]
assert told["aspect"] == "answer of rename(2)" and told["seen"] == "EIO" and told["steps"] <= 2, told
open("script", "w").write(told["script"])'
}
# Without the fault the last step is refused, or not, as it should be.
runs_script() {
    mkdir -p reproduced && sh -n script || return
    sh script reproduced
    umount reproduced/*/m
}

echo "TAP version 13"
mkdir dir low2
types=("$module")
if [[ $module != overlay ]] && { modprobe -q overlay || grep -qw overlay /proc/filesystems; }; then
    types+=(overlay)
fi
for type in "${types[@]}"; do
    ok "$type: $operations operations on mounts of its own" says "all as the model says|" exercise --type "$type" --seed "$seed" --ops "$operations"
    sed 's/^/# /' out
    ok "$type: nothing is left behind" nothing_is_left
    mount_one "$type"
    ok "$type: in a live mount" says "all as the model says|" shale verify --exercise --seed "$seed" --ops 1000 m
    ok "$type: which is as before" target_is_as_before
    forget_one
    mount_one "$type" ro,
    ok "$type: one that is read-only is refused" refuses 1 "Read-only file system|" shale verify --exercise --seed 1 m
    forget_one
done

ok "--json tells of it" json_tells
ok "it stops when it is interrupted" stops_when_interrupted
ok "and leaves nothing behind" nothing_is_left
if command -v strace >/dev/null && command -v setfattr >/dev/null; then
    ok "a fault is found, and shrunk to a script" finds_seeded_fault
    ok "and leaves nothing behind" nothing_is_left
    ok "the script runs" runs_script
else
    skip "a fault is found, and shrunk to a script" "strace or setfattr is missing"
fi
ok "an unknown type is refused" refuses 1 "nosuchfs|" exercise --type nosuchfs
ok "so are its options without it" refuses 2 "--exercise|" shale verify --seed 1 m
ok "and mounts of its own in a mount that is there" refuses 2 "TARGET is there already|" shale verify --exercise --scratch dir m
ok "and whoever is not root" refuses 1 "root|" sh -c 'chmod 777 dir; setpriv --reuid 65534 --clear-groups '"$(command -v shale)"' verify --exercise --scratch dir'
finish
