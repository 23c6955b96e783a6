#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every file says its licence, the one that its place demands, and LICENSES/ has the text.

set -u
cd "$(dirname "$0")/../.." || exit
status=0

complain() {
    echo "$1: $2"
    status=1
}

# The licences of which a file must have one, one per line; empty if it needs none.
licence_for() {
    local generated='((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)'
    case $1 in
    LICENSES/*) ;;
    tests/fuzz/corpus/*) ;;     # bytes
    docs/bench/*.json) ;;       # numbers, in a format that has no comments
    debian/changelog | debian/copyright | debian/source/format) ;;   # have no comments
    include/uapi/linux/shale.h | *netlink_gen.[ch] | include/netlink/*.yaml) echo "$generated" ;;
    include/uapi/*) echo 'GPL-2.0 WITH Linux-syscall-note' ;;
    Kbuild | kmod/*) echo 'GPL-2.0' ;;
    userspace/main.cpp | userspace/commands/* | userspace/helper/* | userspace/manual/*) echo 'GPL-2.0-or-later' ;;
    userspace/*.[ch]pp | userspace/*.[ch]) echo 'LGPL-2.1-or-later' ;;
    userspace/*) printf '%s\n' 'LGPL-2.1-or-later' 'GPL-2.0-or-later' ;;
    *) echo 'GPL-2.0-or-later' ;;
    esac
}

check_file() {
    local wanted said
    wanted=$(licence_for "$1")
    [[ -n $wanted ]] || return
    said=$(head -n 3 "$1" | sed -nE 's/.*SPDX-License-Identifier: //; T; s/ *(\*\/|-->)$//; p')
    if [[ -z $said ]]; then
        complain "$1" "no SPDX-License-Identifier in its first lines; wanted: ${wanted//$'\n'/ or }"
    elif ! grep -qxF "$said" <<<"$wanted"; then
        complain "$1" "its licence is '$said', wanted: ${wanted//$'\n'/ or }"
    fi
}

for text in GPL-2.0 LGPL-2.1 Linux-syscall-note BSD-3-Clause; do
    [[ -s LICENSES/$text ]] || complain "LICENSES/$text" "missing"
done

# Only what is tracked: a build leaves other files about. CI's checkout may belong to another user.
while read -r -d '' file; do
    [[ -f $file ]] && check_file "$file"
done < <(git -c safe.directory='*' ls-files -z)

exit $status
