# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads what tests/guest-programs.sh prints: KTAP of several programs, each
# between the lines "@ begin SUITE NAME" and "@ end SUITE NAME STATUS [SECONDS]". Prints a line per
# test, "ok", "FAIL" or "skip" and its name, with the reason if it was skipped, and below those of a
# program that has failed what it said of its failures. A program that ends before its plan is complete
# has failed, and so has one that hasn't ended.
#
#   -v results_file=FILE    gets the lines of the tests, too
#   -v prefix=TEXT          stands before each name

function result(word, what) {
    what = prefix what
    printf "%-4s  %s\n", word, what
    if (results_file)
        printf "%-4s  %s\n", word, what >>results_file
    if (word == "FAIL")
        failures++
    fflush()
}

function skipped_by(line) {
    return tolower(line) ~ /#[ \t]*skip/
}

# " (why)", if the line, or one of those before it, says why
function reason_in(line) {
    if (!sub(/.*#[ \t]*[Ss][Kk][Ii][Pp][ \t]*/, "", line) || line == "")
        line = reason
    return line == "" ? "" : " (" line ")"
}

# "not ok 3 - name # SKIP why" without what stands before and behind the name
function name_of(line) {
    sub(/^(not )?ok +[0-9]* *-? */, "", line)
    sub(/ *#[ \t]*([Ss][Kk][Ii][Pp]|TODO|XFAIL|ERROR|TIMEOUT).*/, "", line)
    return line == "" ? "test " results : line
}

function begin_program(name) {
    program = name
    output = said = reason = ""
    plan = -1
    results = failures = 0
}

function end_program(status) {
    if (plan < 0)
        result("FAIL", program ": printed no plan")
    else if (results != plan)
        result("FAIL", program ": " results " of " plan " tests reported")
    if (status == 124 || status == 137)
        result("FAIL", program ": took too long")
    else if (status != 0 && status != 4 && !failures)
        result("FAIL", program ": exit status " status)
    if (failures)
        printf "%s%s    (exit status %s)\n", output, said, status
    program = ""
}

/^@ begin / { begin_program($3 ": " $4); next }
/^@ end /   { end_program($5); next }

# What the guest says outside of any program is for the reader alone.
program == "" { print; next }

{ said = said "    " $0 "\n" }

/^# SKIP / { reason = substr($0, 8); next }

/^1\.\.[0-9]+/ {
    plan = substr($1, 4) + 0
    if (plan == 0 && skipped_by($0))
        result("skip", program reason_in($0))
    next
}

/^Bail out!/ { result("FAIL", program ": " $0); next }

/^(not )?ok( |$)/ {
    results++
    if (skipped_by($0))
        result("skip", program ": " name_of($0) reason_in($0))
    else
        result(/^ok/ ? "ok" : "FAIL", program ": " name_of($0))
    if (/^not ok/)
        output = output said
    said = reason = ""
}

END {
    if (program != "") {
        result("FAIL", program ": did not end")
        printf "%s%s", output, said
    }
}
