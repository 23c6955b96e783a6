#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The module reads as if there were one kernel. Nothing in it asks for a kernel's version: what a kernel has is
# probed, since distributions carry features to older versions. And outside of kmod/compat no line is compiled for some
# kernels only: a condition for the preprocessor may name what Shale itself defines, but nothing of the kernel's, nor
# what was probed (SHALE_HAS_*). Every kernel reads the header of tracepoints several times.

set -u
cd "$(dirname "$0")/../.." || exit
status=0

mapfile -d '' files < <(find Kbuild kmod include -type f ! -name '*.yaml' -print0 | sort -z)
if grep -nE '\<(LINUX_VERSION_(CODE|MAJOR|PATCHLEVEL|SUBLEVEL)|KERNEL_VERSION|KERNELVERSION|KERNELRELEASE|UTS_RELEASE|PATCHLEVEL|SUBLEVEL)\>' "${files[@]}" ||
    grep -nE '(linux/version|generated/utsrelease)\.h' "${files[@]}"; then
    echo "these ask for the kernel's version"
    status=1
fi

mapfile -d '' files < <(find kmod -name '*.[ch]' ! -path 'kmod/compat/*' ! -name '*_gen.*' -print0 | sort -z)
awk '
    FNR == 1 { text = "" }
    text == "" { line = FNR }
    { text = text $0 }
    sub(/\\$/, "", text) { next }
    text ~ /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)/ {
        condition = text
        sub(/^[ \t]*#[ \t]*[a-z]+/, "", condition)
        gsub(/\/\*.*\*\/|\/\/.*/, "", condition)
        gsub(/[^A-Za-z0-9_]+/, " ", condition)
        count = split(condition, words, " ")
        for (i = 1; i <= count; i++)
            if (words[i] !~ /^[0-9]|^defined$|^__KERNEL__$|^TRACE_HEADER_MULTI_READ$|^SHALE_/ || words[i] ~ /^SHALE_HAS_/) {
                print FILENAME ":" line ":" text ": " words[i]
                found = 1
            }
    }
    { text = "" }
    END { exit found }
' "${files[@]}" || { echo "these are compiled for some kernels only; their place is kmod/compat"; status=1; }

exit $status
