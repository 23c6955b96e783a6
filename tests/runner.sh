# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What stands behind `./run test [WORD...]`. A suite prints a line per test: "ok", "FAIL" or "skip",
# and the test's name. All such lines are also kept in $results, and the last line counts them.
#
#   checks      tests/checks/*.sh, on the host: exit status 0 is ok
#   unit        the GoogleTest program, on the host
#   fuzz        programs made of tests/fuzz/*.cpp, on the host, for some seconds each
#   kselftest   programs made of tests/kselftest/*.c, KTAP, in a guest
#   commands    tests/commands/*.sh, KTAP, in the same guest: what the tools promise
#   interop     tests/interop/*.sh, KTAP, in the same guest
#   engines     tests/engines/*.sh, KTAP, in a guest of their own with the module as overlay
#   vm          tests/vm/self-test.sh, KTAP, on the host: what `./run vm` promises
#   cross       the module compiled for other architectures, on the host
#   packaging   tests/packaging/*.sh, KTAP, on the host and in guests of their own; default kernel only
#
# What runs in a guest has its kernel before its name. The quick set is one boot with
# kselftest, less broken disks and stress, and the program that loads and unloads the module.

run_tests() {
    local name
    words=("$@") wrapper=()
    results=$build/test/results
    : >"$results"
    touch "$build/test/started"
    for name in "${without[@]}"; do
        result skip "$name: the whole suite # SKIP left out by --without"
    done
    start_other_kernels
    if [[ $coverage == yes ]]; then
        run_for_coverage "$kernel" "$([[ $quick == yes ]] && echo quick || echo all)"
    elif [[ $quick == no ]]; then
        run_all_on "$kernel"
    else
        run_quick_set_on "$kernel"
    fi
    finish_other_kernels
    sum_up
}

# A guest keeps one processor busy, so the kernels of --quick-on have a process of their own beside the rest. It has a
# results file of its own, too, and what it prints is shown in the end.
start_other_kernels() {
    ((${#quick_on[@]})) || return 0
    run_quick_set_on_others >"$build/test/other-kernels.log" 2>&1 &
    other_kernels_pid=$!
}

run_quick_set_on_others() {
    local name
    begin_process
    results=$build/test/other-kernels.results
    : >"$results"
    for name in "${quick_on[@]}"; do
        [[ $name == "$kernel" ]] || run_quick_set_on "$name"
    done
    exit 0
}

finish_other_kernels() {
    [[ -n ${other_kernels_pid:-} ]] || return 0
    supervised tail -n +1 -f --pid="$other_kernels_pid" "$build/test/other-kernels.log"
    wait "$other_kernels_pid" || result FAIL "--quick-on ${quick_on[*]}: ended early, as shown above"
    other_kernels_pid=
    cat "$build/test/other-kernels.results" >>"$results"
}

# run_all_on NAME: without the kernel, what doesn't need it is run all the same.
run_all_on() {
    local ready=no
    prepare_or_fail "$1" && ready=yes
    run_checks
    run_unit_tests
    run_fuzzers
    run_cross_builds
    [[ $ready == yes ]] || return
    run_on_kernel "$1" all
    [[ $as == overlay ]] || run_as_overlay "$1"
    run_vm_self_test "$1"
    run_packaging_tests "$1"
}

# run_as_overlay NAME: once more, for what engines ask of a module of that name.
run_as_overlay() {
    local as=overlay
    [[ -n $(guest_programs engines "$1") ]] || return 0
    prepare_or_fail "$1" && run_on_kernel "$1" engines
}

run_quick_set_on() {
    [[ -n $(guest_programs quick "$1") ]] || return 0
    prepare_or_fail "$1" && run_on_kernel "$1" quick
}

# wanted SUITE NAME: whether the words ask for this test. No words ask for all.
wanted() {
    local word
    [[ " ${without[*]} " != *" $1 "* ]] || return 1
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

# What in the guests took longest: the first to look at when the whole takes too long.
show_longest() {
    local logs=("$build"/test/guest-*.log)
    [[ -e ${logs[0]} ]] || return 0
    find "${logs[@]}" -newer "$build/test/started" -exec awk '
        /^@ end .* [0-9]+ [0-9]+$/ && $6 >= 30 {
            title = FILENAME; sub(/.*guest-/, "", title); sub(/\.log$/, "", title)
            print $6 " s  " title ": " $3 ": " $4
        }' {} + | sort -rn | head -n 12 >"$build/test/longest"
    [[ ! -s $build/test/longest ]] || printf '\nLongest:\n%s\n\n' "$(sed 's/^/   /' "$build/test/longest")"
}

sum_up() {
    local passed failed skipped
    passed=$(grep -c '^ok  ' "$results")
    failed=$(grep -c '^FAIL' "$results")
    skipped=$(grep -c '^skip' "$results")
    if ((passed + failed + skipped == 0)); then
        usage_error "test: no test is named like: ${words[*]}"
    fi
    show_longest
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

# A check gets what it may need in its environment, and its output is shown only if it fails. What asks for a kernel's
# headers gets the default one's, whatever the kernel under test: of older ones sparse complains itself.
run_checks() {
    local check name log headers=$cache/kernels/$default_kernel
    if wanted checks sparse && [[ ! -e $headers/release ]]; then
        supervised can_prepare "$default_kernel"
    fi
    for check in "$tree"/tests/checks/*.sh; do
        name=$(basename "$check" .sh)
        wanted checks "$name" || continue
        prepare_linux_source
        log=$build/test/$name.log
        if SHALE_KERNEL=$headers SHALE_LINUX_SOURCE=$linux_source supervised "$check" >"$log" 2>&1 </dev/null; then
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

# What libFuzzer finds worth keeping goes to a directory of its own, and not to the corpus.
run_fuzzers() {
    local program name log found
    for program in $(list_fuzzers); do
        name=$(basename "$program")
        wanted fuzz "$name" || continue
        log=$build/test/fuzz-$name.log found=$build/fuzz/found-$name
        mkdir -p "$found"
        if supervised "$program" -max_total_time="${SHALE_FUZZ_SECONDS:-10}" -timeout=10 \
            -artifact_prefix="$found." "$found" "$tree/tests/fuzz/corpus/$name" </dev/null >"$log" 2>&1; then
            result ok "fuzz: $name"
        else
            result FAIL "fuzz: $name"
            tail -n 30 "$log" | sed 's/^/    /'
        fi
    done
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
    open_sink vm "$1: "
    echo "@ begin vm self-test" >&"$sink"
    SHALE_KERNEL_NAME=$1 SHALE_KERNEL=$kernel_dir supervised "$tree/tests/vm/self-test.sh" </dev/null >&"$sink" 2>&1
    printf '\n@ end vm self-test %s\n' $? >&"$sink"
    close_sink
}

# These start machines of their own, too.
run_packaging_tests() {
    local program name
    for program in "$tree"/tests/packaging/*.sh; do
        name=$(basename "$program" .sh)
        wanted packaging "$name" || continue
        if [[ $1 != "$default_kernel" || $as != shale ]]; then
            result skip "packaging: $name # SKIP for kernel $default_kernel and shale.ko only"
            continue
        fi
        install_packages "${packaging_packages[@]}"
        open_sink "packaging-$name" ""
        echo "@ begin packaging $name" >&"$sink"
        SHALE_KERNEL=$cache/kernels/$1 SHALE_CACHE=$cache supervised "$program" </dev/null >&"$sink" 2>&1
        printf '\n@ end packaging %s %s\n' "$name" $? >&"$sink"
        close_sink
    done
}

# --- In the guest --------------------------------------------------------------

# prepare_or_fail NAME: a kernel that can't be had, or no module for it, fails the run and spoils nothing else.
prepare_or_fail() {
    if supervised can_prepare "$1"; then
        prepare_kernel_and_module "$1"
    else
        kernel_dir=$cache/kernels/$1
        result FAIL "$(title_of "$1"): the kernel or its module cannot be made"
        return 1
    fi
}

# In a process of its own: what fails in there ends that.
can_prepare() {
    begin_process
    prepare_kernel_and_module "$1"
    exit 0
}

title_of() {
    echo "$1$([[ $as == shale ]] || echo " as $as")"
}

# run_on_kernel NAME all|quick|engines: one boot of the kernel that was prepared. What its log reports fails the run
# as a test of its own. What stands in ${wrapper[@]} runs the programs.
run_on_kernel() {
    local programs title status
    title=$(title_of "$1")
    mapfile -t programs < <(guest_programs "$2" "$1")
    ((${#programs[@]})) || return 0
    [[ ${programs[*]} != */engines/podman.sh* ]] || install_packages "${engine_packages[@]}"
    [[ ${programs[*]} != */interop/bases.sh* ]] || install_packages "${bases_packages[@]}" "${nfs_packages[@]}"
    [[ ${programs[*]} != */interop/nfs*.sh* ]] || install_packages "${nfs_packages[@]}"
    command=("${wrapper[@]}" "$tree/tests/guest-programs.sh" "${programs[@]}")
    open_sink "guest-${title// /-}" "$title: "
    run_in_vm </dev/null >&"$sink"
    status=$?
    close_sink
    result_of_kernel_log "$title" $status
}

# guest_programs all|quick|engines NAME: the wanted ones for this kernel, "SUITE:PROGRAM" a line.
guest_programs() {
    local suite program name
    "list_$1_programs" "$2" | while read -r suite program; do
        name=$(basename "$program" .sh)
        wanted "$suite" "$name" && echo "$suite:$program"
    done
}

list_all_programs() {
    list_kselftests | sed 's/^/kselftest /'
    printf 'commands %s\n' "$tree"/tests/commands/*.sh
    printf 'interop %s\n' "$tree"/tests/interop/*.sh
    [[ $as == shale ]] || list_engines "$1"
}

# Less those that fill or break a disk again and again, or go on for a set time, and fault injection where the kernel
# has none.
list_quick_programs() {
    local left_out='base_|failures_|stress'
    [[ $1 != debug ]] || left_out='base_|stress'
    list_kselftests | grep -vE "/($left_out)[^/]*\$" | sed 's/^/kselftest /'
    echo "interop $tree/tests/interop/module.sh"
}

list_engines_programs() {
    list_engines "$1"
    [[ $1 != "$default_kernel" ]] || echo "commands $tree/tests/commands/commands.sh"
}

# An engine takes long, and cares for the kernel only by what it probes.
list_engines() {
    echo "engines $tree/tests/engines/probes.sh"
    [[ $1 != "$default_kernel" ]] || echo "engines $tree/tests/engines/podman.sh"
}

result_of_kernel_log() {
    case $2 in
    0) result ok "$1: kernel log: no report of a bug" ;;
    "$kernel_complained") result FAIL "$1: kernel log: a report, shown above" ;;
    *) result FAIL "$1: kernel log: the guest ended with status $2" ;;
    esac
}

# open_sink NAME PREFIX: what is written to descriptor $sink from now on is kept in a log
# and goes through ktap.awk. Not a pipe behind the command: a machine must be run by this
# shell itself, whose traps clean up after it.
open_sink() {
    exec {sink}> >(tee "$build/test/$1.log" |
        awk -v results_file="$results" -v prefix="$2" -f "$tree/tests/ktap.awk")
    sink_process=$!
}

close_sink() {
    exec {sink}>&-
    wait "$sink_process"
}
