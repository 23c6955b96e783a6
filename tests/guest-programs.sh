#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# guest-programs.sh SUITE:PROGRAM...: runs test programs one after another in the
# guest and marks on standard output, for ktap.awk, where each begins and ends.
#
# Each has its own mount namespace and control group, since a mount or a process
# that one leaves behind would fail all that come after it.

set -u

readonly seconds=1800   # per program: it may be emulated, on a busy machine
readonly group=/sys/fs/cgroup/program

run_program() {
    echo "shale test: $1" >/dev/kmsg        # so that a report in the log shows whose it is
    mkdir "$group"
    (
        echo "$BASHPID" >"$group/cgroup.procs"
        exec unshare --mount timeout --kill-after=5 "$seconds" "$1" </dev/null 2>&1
    )
    local status=$?
    echo 1 >"$group/cgroup.kill"
    until rmdir "$group" 2>/dev/null; do
        sleep 0.05
    done
    return $status
}

for item; do
    suite=${item%%:*} program=${item#*:}
    name=$(basename "$program")
    SECONDS=0
    echo "@ begin $suite ${name%.sh}"
    run_program "$program"
    printf '\n@ end %s %s %s %s\n' "$suite" "${name%.sh}" "$?" "$SECONDS"
done
