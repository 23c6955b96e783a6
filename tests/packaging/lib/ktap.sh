# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# KTAP for the scripts beside: ok runs a step, and what it printed is shown if it fails.

ktap_number=0 ktap_failed=0

# ok NAME COMMAND...
ok() {
    local name=$1 status
    shift
    "$@" >"$work/step.log" 2>&1 </dev/null
    status=$?
    ((status == 0)) || tail -n 40 "$work/step.log" | sed 's/^/# /'
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

# run_guest SCRIPT ARGUMENT...: in a guest that may write to $root. Passes on the script's "pass NAME", "fail NAME" and "note TEXT".
run_guest() {
    local status word rest
    # shellcheck disable=SC2154 # set by who sources this
    "$tree/run" vm --share "$root" -- "$@" >"$work/guest.out" 2>"$work/guest.log" </dev/null
    status=$?
    while read -r word rest; do
        case $word in
        pass) result 0 "$rest" ;;
        fail) result 1 "$rest" ;;
        *) echo "# $rest" ;;
        esac
    done <"$work/guest.out"
    ok "the guest ends well" sh -c 'cat "$1"; exit "$2"' sh "$work/guest.log" $status
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
