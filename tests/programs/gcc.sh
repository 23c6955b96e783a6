#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gcc.sh: make builds a program of 121 files in C, knows that it is up to date, and builds again what was changed.

set -u
export LC_ALL=C
# shellcheck source=tests/programs/lib/tree.sh
source "$(dirname "$0")/lib/tree.sh"

open_tree gcc
sources=$root/srv/build

build() {
    inside make -j2 -C /srv/build "$@"
}

changed_parts() {
    build --dry-run | grep -c 'gcc.* -c'
}

# A library of it, which the program is linked with.
archive() {
    inside sh -c 'cd /srv/build && ar rcs libparts.a part*.o && gcc -o linked main.o libparts.a && ./linked'
}

count=$(find "$sources" -name '*.c' | wc -l)
expected=$(<"$sources/expected")
ok "there are more than 100 files" test "$count" -gt 100
ok "make builds $count files" build
ok "the program says what it should" is "$expected" inside /srv/build/program
ok "make has nothing to do then" prints 'is up to date' build
sed -i 's/int zero = 0/int zero = 0 + 0/' "$sources"/part{1,2,3}.c
ok "of three changed files make knows" is 3 changed_parts
ok "make builds them again" build
ok "the program still says what it should" is "$expected" inside /srv/build/program
ok "make has nothing to do again" prints 'is up to date' build
ok "an archive of all is made and linked with" is "$expected" archive
mv "$sources" "$root/srv/moved"
ok "make has nothing to do after the directory was renamed" prints 'is up to date' inside make -C /srv/moved
close_tree
