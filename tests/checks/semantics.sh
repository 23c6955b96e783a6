#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each rule of docs/semantics.md is one that verify cites and a unit test breaks, or the document names what else tests
# it; and no others are cited or tested.

set -u
cd "$(dirname "$0")/../.." || exit
document=docs/semantics.md status=0

complain() {
    echo "$@"
    status=1
}

stated=$(sed -nE 's/^- \*\*([0-9]+\.[0-9]+)\*\* .*/\1/p' $document)
cited=$(sed -nE 's/^inline constexpr Rule [a-z_]+\{"([0-9.]+)".*/\1/p' userspace/verify/rules.hpp)
broken=$(sed -nE 's/^TEST_F\(RuleTest, Rule_([0-9]+)_([0-9]+)_.*/\1.\2/p' tests/unit/verify/rules_test.cpp | sort -u)
elsewhere=$(sed -nE 's/^\| ([0-9]+\.[0-9]+) \| `.*/\1/p' $document)

((${#stated} && ${#cited} && ${#broken} && ${#elsewhere})) || complain "rules, or tests of them, are not found"
twice=$(sort <<<"$stated" | uniq -d)
[[ -z $twice ]] || complain "$document: stated twice: $twice"

# differ WHAT ONE OTHER: the lines that only one of the two lists has
differ() {
    local only
    only=$(diff <(sort <<<"$2") <(sort <<<"$3") | sed -n 's/^[<>] //p' | paste -sd ' ')
    [[ -z $only ]] || complain "$1: $only"
}
differ "rules that are cited or stated, but not both; or both cited and tested elsewhere" "$stated" "$cited"$'\n'"$elsewhere"
differ "rules that are cited or that a unit test breaks, but not both" "$cited" "$broken"

# What fsck finds: each kind is in its document as in the source, by a rule that is stated, and a test seeds it.
kinds=$(tr '\n' ' ' <userspace/fsck/kinds.hpp | grep -oE 'constexpr Kind [a-z_]+\{ *"[^"]+", *Class::[a-z_]+, *"[^"]+"' |
    sed -E 's/.*"([^"]+)", *Class::([a-z_]+), *"([^"]+)"/\1 \2 \3/; s/needs_you/needs you/')
told=$(sed -nE 's/^\| `([a-z-]+)` \| (harmless|repairable|needs you) \| ([0-9.]+) \| .*/\1 \2 \3/p' docs/fsck.md)
[[ -n $kinds ]] || complain "kinds of findings of fsck are not found"
differ "kinds of findings in userspace/fsck/kinds.hpp or docs/fsck.md, but not both" "$kinds" "$told"
while read -r kind rest; do
    grep -qxF "${rest##* }" <<<"$stated" || complain "$kind: there is no rule ${rest##* }"
    grep -qE "(: |needs |-- |[0-9] )$kind\b" tests/unit/fsck/fsck_test.cpp tests/commands/fsck.sh ||
        complain "$kind: no test seeds it"
done <<<"$kinds"

while read -r path; do
    [[ -e $path ]] || complain "$document: there is no $path"
done < <(sed -nE '/^\| [0-9.]+ \| `/{ s/^[^`]*`([^`]+)`.*/\1/; p; }' "$document")

exit $status
