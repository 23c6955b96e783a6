#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Checks what the kernel self tests expect: runs those that know the environment variable SHALE_FSTYPE
# against the kernel's own overlayfs. One KTAP test per program; what fails is told above it.

set -u
tree=$(realpath "$(dirname "$0")/../..")
programs=$tree/build/kselftest
# shellcheck source=tests/interop/lib/oracle.sh
source "$tree/tests/interop/lib/oracle.sh"

echo "KTAP version 1"
if [[ ${SHALE_MODULE:-shale} == overlay ]]; then
    echo "1..0 # SKIP overlay is our module here"
    exit 0
fi
modprobe -q overlay
if ! grep -qw overlay /proc/filesystems; then
    echo "1..0 # SKIP this kernel has no overlayfs"
    exit 0
fi
if overlayfs_is_old; then
    echo "1..0 # SKIP overlayfs of $(uname -r) is older than what the programs expect"
    exit 0
fi

# Programs that use the common fixture mount what SHALE_FSTYPE names. From hostile layers nobody expects certain answers.
mapfile -t names < <(cd "$tree/tests/kselftest" && grep -l '^#include "fixture.h"' ./*.c | sed 's|^\./||; s|\.c$||' |
    grep -vx hostile)
echo "1..${#names[@]}"

number=0 failures=0
for name in "${names[@]}"; do
    number=$((number + 1))
    output=$(SHALE_FSTYPE=overlay "$programs/$name" </dev/null 2>&1)
    status=$?
    passed=$(grep -c '^ok ' <<<"$output")
    if ((status == 0 && passed > 0)); then
        echo "ok $number overlayfs does what $name expects"
    else
        printf '%s\n' "$output" | sed 's/^/# /'
        echo "not ok $number overlayfs does what $name expects"
        failures=$((failures + 1))
    fi
done

((failures == 0))
