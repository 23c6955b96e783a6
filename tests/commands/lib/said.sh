# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For test scripts of the command: a directory of their own, in which they stand then, with the mount points m and
# m2; and what a command must say. Who sources this has set $tests.

# What the module is loaded as. The command finds out by itself.
# shellcheck disable=SC2034 # read by who sources this, too
readonly module=${SHALE_MODULE:-shale}

parent=/scratch
[[ -d $parent ]] || parent=${TMPDIR:-/tmp}
scratch=$(mktemp -d "$parent/commands.XXXXXX")
chmod 755 "$scratch"
cd "$scratch" || exit
cleanup() {
    cd /
    umount -q "$scratch"/{m,m2} 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT

# shellcheck disable=SC2034 # read by ktap.sh
ktap_log=$scratch/log
# shellcheck source=tests/ktap.sh disable=SC2154
source "$tests/ktap.sh"

# refuses STATUS WORDS COMMAND...: fails with that status and a message that holds all of WORDS,
# each ended by "|", and leaves no mount behind
refuses() {
    local status=$1 words=$2 before after actual word
    shift 2
    before=$(grep -c " - $module " /proc/self/mountinfo)
    "$@" >out 2>err
    actual=$?
    after=$(grep -c " - $module " /proc/self/mountinfo)
    cat out err
    [[ $actual == "$status" && $before == "$after" ]] || return
    while [[ -n $words ]]; do
        word=${words%%|*} words=${words#*|}
        grep -qF -- "$word" err || return
    done
}

# shows EXPECTED COMMAND...: prints exactly that
shows() {
    local expected=$1
    shift
    "$@" >out || return
    diff -u <(printf '%s\n' "$expected") out
}

# prints_nothing COMMAND...: succeeds, and has nothing to say
prints_nothing() {
    "$@" >out || return
    diff -u /dev/null out
}

# says WORDS COMMAND...: succeeds, and standard output holds all of WORDS, each ended by "|"
says() {
    local words=$1 word
    shift
    "$@" >out 2>err || { cat out err; return 1; }
    while [[ -n $words ]]; do
        word=${words%%|*} words=${words#*|}
        grep -qF -- "$word" out || { echo "'$word' is missing in:"; cat out; return 1; }
    done
}

# await_path PATTERN: until there is such a path, for 30 seconds at most
await_path() {
    local _
    for _ in {1..600}; do
        ! compgen -G "$1" >/dev/null || return 0
        sleep 0.05
    done
    return 1
}

# json EXPRESSION COMMAND...: what the expression makes of the JSON document that the command prints, called d
json() {
    local expression=$1
    shift
    "$@" | /usr/bin/python3 -IBS -c "import json, sys; d = json.load(sys.stdin); print($expression)"
}
