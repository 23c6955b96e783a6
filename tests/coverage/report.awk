# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads an lcov trace file and prints how many lines of each file were run, and which functions
# never were. -v root=DIR/: where the files are; those elsewhere don't count. A header has a
# record for each file that includes it: a line was run if it was in any.

BEGIN { FS = ":" }

/^SF:/ {
    file = substr($0, 4)
    ours = index(file, root) == 1
    file = substr(file, length(root) + 1)
    next
}

!ours { next }

/^DA:/ {
    split($2, line, ",")
    lines[file, line[1]] += line[2]
}

/^FNDA:/ {
    split($2, call, ",")
    calls[file, call[2]] += call[1]
}

function row(name, ran, all) {
    printf "%6.1f %%  %5d of %5d  %s\n", all ? 100 * ran / all : 0, ran, all, name
}

function sort(list, n,   i, k, value) {
    for (i = 2; i <= n; i++) {
        value = list[i]
        for (k = i - 1; k >= 1 && list[k] > value; k--)
            list[k + 1] = list[k]
        list[k + 1] = value
    }
}

END {
    for (key in lines) {
        split(key, part, SUBSEP)
        if (!(part[1] in found))
            names[++count] = part[1]
        found[part[1]]++
        run[part[1]] += lines[key] > 0
    }
    for (key in calls) {
        split(key, part, SUBSEP)
        if (!calls[key])
            idle[part[1]] = idle[part[1]] " " part[2]
    }
    sort(names, count)
    for (i = 1; i <= count; i++) {
        row(names[i], run[names[i]], found[names[i]])
        all_found += found[names[i]]
        all_run += run[names[i]]
    }
    row("in total", all_run, all_found)

    print "\nFunctions that never ran:"
    for (i = 1; i <= count; i++)
        if (names[i] in idle)
            print "  " names[i] ":" idle[names[i]]
}
