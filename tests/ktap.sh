# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# KTAP for test scripts, which source it. What a test prints is kept in the file $ktap_log, which the script names, and shown if it fails.

ktap_number=0 ktap_failed=0

# ok NAME COMMAND...
ok() {
    local name=$1 status
    shift
    # shellcheck disable=SC2154 # set by who sources this
    "$@" >"$ktap_log" 2>&1 </dev/null
    status=$?
    ((status == 0)) || tail -n 40 "$ktap_log" | sed 's/^/# /'
    result $status "$name"
}

# result STATUS NAME
result() {
    ktap_number=$((ktap_number + 1))
    if (($1 == 0)); then
        echo "ok $ktap_number $2"
    else
        echo "not ok $ktap_number $2"
        ktap_failed=$((ktap_failed + 1))
    fi
    return "$1"
}

# skip NAME REASON
skip() {
    ktap_number=$((ktap_number + 1))
    echo "ok $ktap_number $1 # SKIP $2"
}

# skip_all REASON: ends a script none of whose tests can be made.
skip_all() {
    echo "1..0 # SKIP $*"
    exit 0
}

# Prints the plan; the last thing that a script does.
finish() {
    echo "1..$ktap_number"
    ((ktap_failed == 0))
}

# Ends a script that can't go on.
give_up() {
    finish
    exit 1
}
