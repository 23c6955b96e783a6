#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each operation that the module gives to the kernel has a row in the tables of
# tests/kselftest/failures_*.c, or a reason there why it has none; and no row is for an operation
# that does not exist.

set -u
cd "$(dirname "$0")/../.." || exit

# Of each table of functions in kmod/: TABLE.FIELD, and the handlers of the netlink family by
# name. A line SHALE_OPS_X in a table stands for the fields that compat/ gives it on any kernel.
operations_of_the_module() {
    { find kmod/compat -name '*.h'; find kmod -name '*.c'; } | xargs awk '
        function fields(line,    found) {
            found = ""
            while (match(line, /\.[a-z_]+[ \t]*= /)) {
                found = found " " substr(line, RSTART + 1, RLENGTH - 1)
                line = substr(line, RSTART + RLENGTH)
            }
            gsub(/[= \t]+/, " ", found)
            return found
        }
        /^#define SHALE_OPS_/ { macro = $2 }
        macro { standing_for[macro] = standing_for[macro] fields($0) }
        !/\\$/ { macro = "" }
        FILENAME ~ /\.c$/ && /^(static )?(const )?struct (file_system_type|xattr_handler|[a-z_]*(operations|ops)[a-z_]*) [a-z_]+ = \{/ {
            table = $0
            sub(/ = \{.*/, "", table)
            sub(/.* /, "", table)
            next
        }
        /^}/ { table = "" }
        table {
            found = fields($0)
            if (match($0, /SHALE_OPS_[A-Z_]+/))
                found = standing_for[substr($0, RSTART, RLENGTH)]
            n = split(found, field, " ")
            for (i = 1; i <= n; i++)
                print table "." field[i]
        }'
    grep -ohE '\.(doit|dumpit)[[:space:]]*= *shale_nl_[a-z_]+' kmod/control/netlink_gen.c | sed 's/.*= *//'
}

# The second argument of OPERATION() and the first of NO_OPERATION(): words between quotation marks.
operations_with_a_row() {
    cat tests/kselftest/failures_*.c | tr -d '\n' |
        grep -oE '(NO_OPERATION\(|OPERATION\([a-z_]+,)[[:space:]]*("[^"]*"[[:space:]]*)+,' |
        grep -oE '[a-z_]+\.[a-z_]+|shale_nl_[a-z_]+'
}

there=$(operations_of_the_module | sort -u)
rows=$(operations_with_a_row | sort -u)
[[ -n $there ]] || { echo "no operation was found in kmod/"; exit 1; }
[[ $there == "$rows" ]] && exit
echo "without a row (<), or rows for what does not exist (>):"
diff <(echo "$there") <(echo "$rows") | grep '^[<>]'
exit 1
