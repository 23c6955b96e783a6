# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The part of a test that runs in a guest.

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
