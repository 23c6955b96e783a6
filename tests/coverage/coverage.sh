# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What stands behind `./run test --coverage`: the tests that run in a guest, with a module that
# counts which of its lines are run (gcov), and a table of these.

# run_for_coverage NAME all|quick
run_for_coverage() {
    local objects data=$build/coverage/data
    prepare_or_fail "$1" || return
    objects=$(dirname "$(dirname "$module_dir")")
    rm -rf "$build/coverage"
    mkdir -p "$data"
    wrapper=("$tree/tests/coverage/collect.sh" "$objects" "$data")
    run_on_kernel "$1" "$2"
    [[ $2 == quick ]] || run_on_kernel "$1" commands
    wrapper=()
    [[ -z $(find "$data" -name '*.gcda' -print -quit) ]] || report_coverage "$objects" "$data"
}

# The counts go where the compiler left its notes about the same objects.
report_coverage() {
    local objects=$1 data=$2 trace=$build/coverage/trace
    find "$objects" -name '*.gcda' -delete
    cp -r "$data/." "$objects/"
    quietly coverage-report lcov --capture --directory "$objects" --output-file "$trace"
    echo
    awk -v root="$objects/" -f "$tree/tests/coverage/report.awk" "$trace" | tee "$build/coverage/report"
    echo
}
