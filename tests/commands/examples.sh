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

mkdir a b m m2
shale mount --lower a m --name first >/dev/null || give_up
shale mount --lower a --lower b m2 --name second >/dev/null || give_up
expected=$(json "'\n'.join(str(x['id']) + ' ' + x['source'] for x in d)" shale mounts --json)

echo "TAP version 13"
ok "two mounts are expected" test "$(wc -l <<<"$expected")" = 2
ok "Python lists the mounts" shows "$expected" "$tests/../docs/examples/netlink/mounts.py"
ok "C lists the mounts" shows "$expected" "$built/example-c"
ok "C++ lists the mounts" shows "$expected" "$built/example-cpp"
finish
