#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel's own style checker, at its strictest, over everything written in the kernel's style.

set -u
cd "$(dirname "$0")/../.." || exit

# What turns one interface into another can't do without macros that define functions, leave arguments
# out and look for headers.
readonly compat_ignores=MACRO_ARG_UNUSED,MACRO_ARG_REUSE,MACRO_WITH_FLOW_CONTROL,TRAILING_SEMICOLON,COMPLEX_MACRO,UNNECESSARY_ELSE,BRACES,SPACING,SUSPECT_CODE_INDENT
# Nor can what the kernel's macros for tracepoints are given, which all of the kernel lays out in its own manner.
readonly trace_ignores=MACRO_ARG_UNUSED,MACRO_ARG_REUSE,TRAILING_SEMICOLON,COMPLEX_MACRO,PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE

# check OPTION... -- FIND-TEST...
check() {
    local options=() files
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    shift
    mapfile -d '' files < <(find kmod include -name '*.[ch]' ! -name 'netlink_gen.*' "$@" -print0 | sort -z)
    perl "$SHALE_LINUX_SOURCE/scripts/checkpatch.pl" --no-tree --strict --terse --show-types --no-summary \
        "${options[@]}" -f "${files[@]}"
}

status=0
check -- ! -path 'kmod/compat/*' ! -name trace.h || status=1
check --ignore "$compat_ignores" -- -path 'kmod/compat/*' || status=1
check --ignore "$trace_ignores" -- -name trace.h || status=1
exit $status
