#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds the module from scratch with every warning that Kbuild knows at W=1 and
# with sparse over each file, and passes only if neither says anything.

set -u
tree=$(realpath "$(dirname "$0")/../..")
copy=$tree/build/sparse

rm -rf "$copy"
mkdir -p "$copy"
rsync -a "$tree/Kbuild" "$tree/kmod" "$tree/include" "$copy/"
"$tree/tests/vm/kernel-make.sh" "$SHALE_KERNEL" "$copy" -j "$(nproc)" W=1 C=1 modules >"$copy/log" 2>&1
status=$?
grep -nE '(warning|error):|^WARNING' "$copy/log" && status=1
((status == 0)) || tail -n 5 "$copy/log"
exit $status
