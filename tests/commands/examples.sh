#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The clients of docs/netlink.md do what it says. Runs in the guest, as root, with the module loaded; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")
# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"

[[ $module == shale ]] || skip_all "they know the family by its own name only"
built=$(dirname "$(command -v shale)")/examples
sources=$(realpath "$tests/../docs/examples/netlink")

mkdir a b upper work m m2
echo text >a/file
shale mount --lower a m --name first >/dev/null || give_up
shale mount --lower a --lower b m2 --name second >/dev/null || give_up
expected=$(json "'\n'.join(str(x['id']) + ' ' + x['source'] for x in d)" shale mounts --json)

# The process that opens the file is the client itself.
stack_is_told() {
    local id
    umount m2 && bash -c 'echo $$ >pid; exec "$@"' bash "$sources/stack.py" a upper work m2 file >out || return
    id=$(json "next(x['id'] for x in d if x['source'] == 'example')" shale mounts --json) || return
    diff -u - out <<EOT
mount $id example lower $scratch/a upper $scratch/upper
process $(<pid) copied up /file with 5 bytes
EOT
}

echo "TAP version 13"
ok "two mounts are expected" test "$(wc -l <<<"$expected")" = 2
ok "Python lists the mounts" shows "$expected" "$sources/mounts.py"
ok "C lists the mounts" shows "$expected" "$built/example-c"
ok "C++ lists the mounts" shows "$expected" "$built/example-cpp"
ok "Python mounts a stack, finds it in a dump and hears who copied up what" stack_is_told
ok "which the tools see, too" says "m2/file: upper, copied up|" shale which m2/file
ok "Python says why a stack is refused" refuses 1 "Not a directory: layer is not a directory|" \
    "$sources/stack.py" a/file upper work m file
ok "and why one can't be mounted" refuses 1 "busy|" "$sources/stack.py" a upper work m file
finish
