#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# collect.sh OBJECTS DATA COMMAND...: runs COMMAND in the guest, then copies what the kernel has
# counted in the objects that were built in the directory OBJECTS to the directory DATA.

set -u
objects=$1 data=$2
shift 2

"$@"
status=$?

cd "/sys/kernel/debug/gcov$objects" || exit 1
find . -type d -exec mkdir -p "$data/{}" \;
# By cat: until they are read, these files look empty.
find . -name '*.gcda' -exec sh -c 'cat "$2" >"$1/$2"' sh "$data" {} \; || exit 1
exit $status
