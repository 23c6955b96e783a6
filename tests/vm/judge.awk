# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads a guest's kernel log and prints each report of a bug in it, with the
# lines around it; exits 1 if there was any. A report is known by the forms in
# which the kernel itself writes it, mostly anchored to the line's beginning,
# so that a line that merely talks of a warning or of BUG_ON is none.

BEGIN {
    before = 5      # lines shown before a report's first line
    after = 80      # lines shown after its last one: longer than any stack trace
}

# The text without its time stamp, "[    1.234567] ", and the task that some kernels add.
function message(line) {
    sub(/^\[ *[0-9]+\.[0-9]+\] /, "", line)
    sub(/^\[ *[TC][0-9]+\] /, "", line)
    return line
}

function is_report(text) {
    return text ~ /^(watchdog: )?BUG: / ||
           text ~ /^BUG [^ ]+ \(.*\): / ||
           text ~ /^kernel BUG at / ||
           text ~ /^WARNING: / ||
           text ~ /WARNING: CPU: [0-9]+ PID: [0-9]+ at / ||
           text ~ /^(Oops|general protection fault)[:,]/ ||
           text ~ /: [0-9a-f]+ \[#[0-9]+\]/ ||
           text ~ /^Kernel panic - not syncing/ ||
           text ~ /^UBSAN: / ||
           text ~ /(KASAN|KCSAN|KMSAN|KFENCE): / ||
           text ~ /possible (circular locking dependency|recursive locking|irq lock inversion dependency) / ||
           text ~ /inconsistent lock state|suspicious RCU usage|bad unlock balance|held lock freed/ ||
           text ~ /INFO: trying to register non-static key/ ||
           text ~ /INFO: task .* blocked for more than/ ||
           text ~ /INFO: rcu_.*(self-)?detected (expedited )?stall/ ||
           text ~ /^kmemleak: .*suspected memory leaks/ ||
           text ~ /^unreferenced object 0x/ ||
           text ~ /Dentry .* still in use/ ||
           text ~ /VFS: Busy inodes after unmount/ ||
           text ~ /Objects remaining .*on __kmem_cache_shutdown/ ||
           text ~ /Slab cache still has objects/
}

# What the stack also holds, but nobody has called: half of a stack trace and more.
function is_guess(text) {
    return text ~ /^ +(\[<[0-9a-f]+>\] )?\? [^ ]+\+0x[0-9a-f]+\//
}

is_guess(message($0)) { next }

{
    line[++lines] = $0
    if (is_report(message($0)))
        report[lines] = 1
}

END {
    shown = 0
    for (n = 1; n <= lines; n++) {
        if (!(n in report))
            continue
        reports++
        first = n - before > shown ? n - before : shown + 1
        if (first > shown + 1)
            print "..."
        for (last = n; last < lines && last < n + after && message(line[last]) !~ /^---\[ end trace/; last++)
            ;
        for (k = first; k <= last; k++)
            print line[k]
        if (last > shown)
            shown = last
    }
    exit reports > 0
}
