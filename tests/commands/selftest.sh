#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `shale selftest` promises: it says what works here, on which file system, and what fails; and leaves nothing behind.
# Runs in the guest, as root, with the module loaded; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")
# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
# shellcheck disable=SC2154 # made by said.sh
here=$scratch

left_behind() { [[ -z $(ls -A "$here/dir") ]] && ! grep -q " $here/" /proc/mounts; }
# on_tmpfs MOUNT-OPTIONS...: a file system that lacks something
on_tmpfs() {
    mount -t tmpfs none "$here/other" || return
    shale selftest "$here/other"
    local status=$?
    umount "$here/other"
    return $status
}
fails_where_nothing_can_be_made() {
    mount -t tmpfs -o ro none "$here/other" || return
    shale selftest "$here/other" 2>"$here/said"
    local status=$?
    umount "$here/other"
    [[ $status -ne 0 ]] && grep -q "Read-only file system" "$here/said"
}
json_is_whole() {
    shale selftest --json "$here/dir" | /usr/bin/python3 -IBS -c '
import json, sys
told = json.load(sys.stdin)
assert told["failed"] == 0, told
assert len(told["file_system"]) >= 12 and len(told["mount"]) >= 20, told
assert all(check["result"] == "ok" for check in told["mount"]), told
assert all(check["detail"] for check in told["file_system"] if check["result"] == "lacks"), told'
}
can_map_ids() {
    mkdir -m 777 "$here/theirs"
    cp "$(command -v shale)" "$here/shale" && chmod 755 "$here/shale"
    unshare -rm true
}
in_user_namespace() {
    echo Y >"/sys/module/$module/parameters/userns_mount"
    setpriv --reuid 1000 --regid 1000 --clear-groups unshare -rm "$here/shale" selftest "$here/theirs"
}
without_rights() { setpriv --reuid 1000 --regid 1000 --clear-groups "$here/shale" selftest "$here/theirs"; }

echo "KTAP version 1"
mkdir "$here/dir" "$here/other"
ok "all works on the file system of a directory" says "ok    verify: the mount shows what its layers say|" shale selftest "$here/dir"
ok "nothing is left behind" left_behind
ok "what tmpfs lacks is said, and all else works" says "lacks shared blocks (reflink): |ok    verify: the mount|" on_tmpfs
ok "a directory in which nothing can be made is named" fails_where_nothing_can_be_made
ok "--json has all of it" json_is_whole
ok "a directory that is not there is named" refuses 1 "/nowhere|" shale selftest /nowhere
if can_map_ids; then
    ok "in a user namespace it says what works there" says "lacks extended attributes trusted.*|ok    verify: the mount|" in_user_namespace
    ok "who may not mount is told how to try" refuses 1 "unshare -rm shale selftest|" without_rights
else
    skip "in a user namespace it says what works there" "this kernel has none"
fi
finish
