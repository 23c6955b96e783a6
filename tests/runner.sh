# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What stands behind `./run test [WORD...]`. A suite prints a line per test: "ok", "FAIL" or "skip",
# and the test's name. All such lines are also kept in $results, and the last line counts them.
#
#   checks      tests/checks/*.sh, on the host: exit status 0 is ok
#   unit        the GoogleTest program, on the host
#   kselftest   programs made of tests/kselftest/*.c, KTAP, in a guest
#   commands    tests/commands/*.sh, KTAP, in the same guest: what the tools promise
#   interop     tests/interop/*.sh, KTAP, in the same guest
#   vm          tests/vm/self-test.sh, KTAP, on the host: what `./run vm` promises

run_tests() {
    words=("$@")
    results=$build/test/results
    : >"$results"
    run_checks
    run_unit_tests
    run_guest_programs
    run_vm_self_test
    sum_up
}

# wanted SUITE NAME: whether the words ask for this test. No words ask for all.
wanted() {
    local word
    ((${#words[@]})) || return 0
    for word in "${words[@]}"; do
        [[ $1 == *"$word"* || $2 == *"$word"* ]] && return
    done
    return 1
}

# result ok|FAIL|skip NAME
result() {
    printf '%-4s  %s\n' "$1" "$2" | tee -a "$results"
}

sum_up() {
    local passed failed skipped
    passed=$(grep -c '^ok  ' "$results")
    failed=$(grep -c '^FAIL' "$results")
    skipped=$(grep -c '^skip' "$results")
    if ((passed + failed + skipped == 0)); then
        usage_error "test: no test is named like: ${words[*]}"
    fi
    if ((failed)); then
        printf '\nFailed:\n'
        sed -n 's/^FAIL/   /p' "$results"
    fi
    if ((skipped)); then
        echo "$passed passed, $failed failed, $skipped skipped"
    else
        echo "$passed passed, $failed failed"
    fi
    ((failed == 0 && passed > 0))
}

# --- On the host ---------------------------------------------------------------

# A check gets what it may need in its environment, and its output is shown only if it fails.
run_checks() {
    local check name log
    for check in "$tree"/tests/checks/*.sh; do
        name=$(basename "$check" .sh)
        wanted checks "$name" || continue
        prepare_linux_source
        log=$build/test/$name.log
        if SHALE_KERNEL=$kernel_dir SHALE_LINUX_SOURCE=$linux_source supervised "$check" >"$log" 2>&1 </dev/null; then
            result ok "checks: $name"
        else
            result FAIL "checks: $name"
            sed 's/^/    /' "$log"
        fi
    done
}

# A program that dies in the middle has failed each test that it didn't reach.
run_unit_tests() {
    local program=$build/userspace/shale-unit-tests log=$build/test/unit.log name selected=()
    while read -r name; do
        wanted unit "$name" && selected+=("$name")
    done < <(list_unit_tests "$program")
    ((${#selected[@]})) || return 0

    local IFS=:
    supervised "$program" --gtest_color=no --gtest_filter="${selected[*]}" </dev/null >"$log" 2>&1
    local status=$?
    unset IFS
    for name in "${selected[@]}"; do
        if grep -qF "[       OK ] $name (" "$log"; then
            result ok "unit: $name"
        elif grep -qF "[  SKIPPED ] $name (" "$log"; then
            result skip "unit: $name"
        else
            result FAIL "unit: $name"
            show_unit_test "$name" "$log"
        fi
    done
    ((status == 0)) || tail -n 3 "$log" | sed 's/^/    /'
}

# What one test printed, as far as it came.
show_unit_test() {
    awk -v name="$1" '$0 == "[ RUN      ] " name { inside = 1; next }
        inside && /^\[ +(RUN|OK|FAILED|SKIPPED) +\] / { exit }
        inside { print "    " $0 }' "$2"
}

# GoogleTest lists "Suite." lines, with the names of its tests indented below.
list_unit_tests() {
    "$1" --gtest_list_tests </dev/null |
        awk '/^[^ ].*\./ { suite = $1; next } /^  / && $0 !~ /DISABLED_/ { print suite $1 }'
}

# It starts machines of its own, so it runs here.
run_vm_self_test() {
    wanted vm self-test || return 0
    open_sink vm
    echo "@ begin vm self-test" >&"$sink"
    SHALE_KERNEL_NAME=$kernel SHALE_KERNEL=$kernel_dir supervised "$tree/tests/vm/self-test.sh" </dev/null >&"$sink" 2>&1
    printf '\n@ end vm self-test %s\n' $? >&"$sink"
    close_sink
}

# --- In the guest --------------------------------------------------------------

# One boot for all. What the kernel log reports fails the run as a test of its own.
run_guest_programs() {
    local program suite name programs=()
    while read -r program; do
        name=$(basename "$program")
        wanted kselftest "$name" && programs+=("kselftest:$program")
    done < <(list_kselftests)
    for program in "$tree"/tests/{commands,interop}/*.sh; do
        suite=$(basename "$(dirname "$program")")
        name=$(basename "$program" .sh)
        wanted "$suite" "$name" && programs+=("$suite:$program")
    done
    ((${#programs[@]})) || return 0

    command=("$tree/tests/guest-programs.sh" "${programs[@]}")
    local status
    open_sink guest
    run_in_vm </dev/null >&"$sink"
    status=$?
    close_sink
    result_of_kernel_log $status
}

result_of_kernel_log() {
    case $1 in
    0) result ok "kernel log: no report of a bug" ;;
    "$kernel_complained") result FAIL "kernel log: a report, shown above" ;;
    *) result FAIL "kernel log: the guest ended with status $1" ;;
    esac
}

# open_sink NAME: what is written to descriptor $sink from now on is kept in a log
# and goes through ktap.awk. Not a pipe behind the command: a machine must be run by this
# shell itself, whose traps clean up after it.
open_sink() {
    exec {sink}> >(tee "$build/test/$1.log" | awk -v results_file="$results" -f "$tree/tests/ktap.awk")
    sink_process=$!
}

close_sink() {
    exec {sink}>&-
    wait "$sink_process"
}
