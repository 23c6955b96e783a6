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
#   interop     tests/interop/*.sh, KTAP, in the same guest
#   commands    tests/commands/*.sh, KTAP, in a guest of their own: what the tools promise
#   engines     tests/engines/*.sh, KTAP, in a guest of their own with the module as overlay
#   programs    tests/programs/*.sh, KTAP, in guests of their own, one for each of two bases
#   powercut    tests/powercut/flushes.sh, KTAP, in the same guest; tests/powercut/kills.sh, KTAP, on the host
#   selinux     tests/selinux/labels.sh, KTAP, on the host
#   demo        tests/demo/demo.sh, in a guest of its own: exit status 0 is ok; default kernel only
#   vm          tests/vm/self-test.sh, KTAP, on the host: what `./run vm` promises
#   cross       the module compiled for other architectures, on the host
#   packaging   tests/packaging/*.sh, KTAP, on the host and in guests of their own; default kernel only
#
# What runs in a guest has its kernel before its name. The quick set is one boot with
# kselftest, less broken disks and stress, and the program that loads and unloads the module.

run_tests() {
    local name packaged=() built=()
    words=("$@") wrapper=()
    results=$build/test/results
    : >"$results"
    touch "$build/test/started"
    for name in "${without[@]}"; do
        result skip "$name: the whole suite # SKIP left out by --without"
    done
    split_quick_on
    start_quick_sets user-mode "${built[@]}"
    [[ $coverage == no && $quick == no ]] || start_quick_sets emulated "${packaged[@]}"
    if [[ $coverage == yes ]]; then
        run_for_coverage "$kernel" "$([[ $quick == yes ]] && echo quick || echo all)"
    elif [[ $quick == no ]]; then
        run_all "$kernel"
    else
        run_quick_set_on "$kernel"
    fi
    finish_what_runs_beside
    sum_up
}

# The kernels of --quick-on that run beside: those of User Mode Linux in ${built[@]}, the emulated ones in ${packaged[@]}.
split_quick_on() {
    local name
    for name in "${quick_on[@]}"; do
        [[ $name != "$kernel" ]] || continue
        if [[ " ${uml_kernels[*]} " == *" $name "* ]]; then built+=("$name"); else packaged+=("$name"); fi
    done
}

# run_all NAME: what runs on the host, and what runs in guests; side by side, if other kernels run there as well. Without the
# kernel, what doesn't need it is run all the same. On two processors, four rows of about the same length take the least
# time: User Mode Linux; the host and then the other emulated kernels; and two guests of this kernel, one for the commands.
run_all() {
    local ready=no
    prepare_or_fail "$1" && ready=yes
    if ((${#quick_on[@]})); then
        start_beside host run_host_and_quick_sets "$1" "$ready" "${packaged[@]}"
        [[ $ready == no ]] || start_beside commands run_on_kernel "$1" commands
    else
        run_on_host_suites "$1" "$ready"
        [[ $ready == no ]] || run_on_kernel "$1" commands
    fi
    [[ $ready == no ]] || run_in_guests "$1"
}

# run_host_and_quick_sets NAME yes|no OTHER...
run_host_and_quick_sets() {
    run_on_host_suites "$1" "$2"
    run_quick_sets "${@:3}"
}

# run_in_guests NAME: all but the commands.
run_in_guests() {
    if hostile_is_left_to_debug "$1" && wanted kselftest hostile; then
        result skip "$(title_of "$1"): kselftest: hostile # SKIP runs on debug"
    fi
    run_on_kernel "$1" all
    run_programs "$1"
    [[ $as == overlay ]] || run_as_overlay "$1"
}

# start_quick_sets LOG [NAME...]
start_quick_sets() {
    (($# == 1)) || start_beside "$1" run_quick_sets "${@:2}"
}

run_quick_sets() {
    local name
    for name; do
        run_quick_set_on "$name"
    done
}

# start_beside NAME FUNCTION ARGUMENT...: in a process of its own, with a results file of its own. What it prints is shown
# in the end.
start_beside() {
    local log=$build/test/$1
    shift
    (run_beside "$log.results" "$@") >"$log.log" 2>&1 &
    beside_pids+=($!)
    beside_logs+=("$log")
}

run_beside() {
    begin_process
    results=$1
    : >"$results"
    "${@:2}"
    exit 0
}

finish_what_runs_beside() {
    local pid log
    while ((${#beside_pids[@]})); do
        pid=${beside_pids[0]} log=${beside_logs[0]}
        supervised tail -n +1 -f --pid="$pid" "$log.log"
        wait "$pid" || result FAIL "${log##*/}: ended early, as shown above"
        cat "$log.results" >>"$results"
        beside_pids=("${beside_pids[@]:1}") beside_logs=("${beside_logs[@]:1}")
    done
}

# run_on_host_suites NAME yes|no: whether that kernel can be booted.
run_on_host_suites() {
    run_checks
    run_unit_tests
    run_fuzzers
    run_cross_builds
    [[ $2 == yes ]] || return
    run_vm_self_test "$1"
    run_power_cuts "$1"
    run_label_tests "$1"
    run_demo_test "$1"
    run_packaging_tests "$1"
}

# run_as_overlay NAME: once more, for what engines ask of a module of that name.
run_as_overlay() {
    local as=overlay
    [[ -n $(guest_programs engines "$1") ]] || return 0
    prepare_or_fail "$1" && run_on_kernel "$1" engines
}

# run_programs NAME: real programs, with all layers on one file system and then on another.
run_programs() {
    local base name wrapper
    [[ -n $(guest_programs programs "$1") ]] || return 0
    install_packages "${programs_packages[@]}"
    supervised can_prepare_image || { result FAIL "programs: the image cannot be made"; return; }
    wrapper=(env "SHALE_PROGRAMS_IMAGE=$(image_dir)")
    for name in "${!SHALE_PROGRAMS_@}"; do
        wrapper+=("$name=${!name}")
    done
    for base in ${SHALE_PROGRAMS_BASES:-ext4 xfs}; do
        run_on_kernel "$1" programs "$(title_of "$1") on $base"
    done
}

can_prepare_image() {
    begin_process
    prepare_programs_image
    exit 0
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

# How each report of a guest's kernel log begins: what failed long ago may have been cut from what one can see of this run.
show_reports() {
    local report
    for report in "$build"/test/guest-*.report; do
        [[ $report -nt $build/test/started ]] || continue
        printf '\n%s:\n' "${report##*/}"
        head -n 45 "$report" | sed 's/^/    /'
    done
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
        show_reports
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

# run_on_host SUITE NAME LOG TITLE COMMAND...: a script that starts machines of its own.
run_on_host() {
    local suite=$1 name=$2
    open_sink "$3" "$4"
    shift 4
    echo "@ begin $suite $name" >&"$sink"
    supervised "$@" </dev/null >&"$sink" 2>&1
    printf '\n@ end %s %s %s\n' "$suite" "$name" $? >&"$sink"
    close_sink
}

run_vm_self_test() {
    wanted vm self-test || return 0
    run_on_host vm self-test vm "$1: " env SHALE_KERNEL_NAME="$1" SHALE_KERNEL="$kernel_dir" "$tree/tests/vm/self-test.sh"
}

run_power_cuts() {
    wanted powercut kills || return 0
    run_on_host powercut kills powercut "$1: " env SHALE_KERNEL_NAME="$1" "$tree/tests/powercut/kills.sh"
}

# As overlay, both file systems of the test would be one.
run_label_tests() {
    wanted selinux labels || return 0
    if [[ $as == overlay || " ${uml_kernels[*]} " == *" $1 "* ]]; then
        result skip "$1: selinux: labels # SKIP for kernels with SELinux and overlayfs only"
        return
    fi
    install_packages "${selinux_packages[@]}"
    run_on_host selinux labels selinux "$1: " env SHALE_KERNEL_NAME="$1" "$tree/tests/selinux/labels.sh"
}

# The steps of `./run demo`, which ends with the first that fails.
run_demo_test() {
    local log=$build/test/demo.log
    wanted demo steps || return 0
    if [[ $1 != "$default_kernel" || $as != shale ]]; then
        result skip "demo: steps # SKIP for kernel $default_kernel and shale.ko only"
    elif supervised "$tree/run" demo --kernel "$1" </dev/null >"$log" 2>&1; then
        result ok "demo: steps"
    else
        result FAIL "demo: steps"
        tail -n 30 "$log" | sed 's/^/    /'
    fi
}

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
        run_on_host packaging "$name" "packaging-$name" "" \
            env SHALE_KERNEL="$cache/kernels/$1" SHALE_CACHE="$cache" "$program"
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

# run_on_kernel NAME all|commands|quick|engines|programs [TITLE]: one boot of the kernel that was prepared. What its log reports
# fails the run as a test of its own. What stands in ${wrapper[@]} runs the programs.
run_on_kernel() {
    local programs title what log status
    title=${3:-$(title_of "$1")}
    what=$title$([[ $2 != commands ]] || echo " commands")
    log=guest-${what// /-}
    mapfile -t programs < <(guest_programs "$2" "$1")
    ((${#programs[@]})) || return 0
    [[ ${programs[*]} != */engines/podman.sh* ]] || install_packages "${engine_packages[@]}"
    [[ ${programs[*]} != */commands/archives.sh* ]] || install_packages "${archives_packages[@]}"
    [[ ${programs[*]} != */commands/commit.sh* && ${programs[*]} != */commands/layer.sh* ]] ||
        install_packages "${commit_packages[@]}"
    [[ ${programs[*]} != */commands/run.sh* ]] || install_packages "${run_packages[@]}"
    [[ ${programs[*]} != */commands/registry.sh* ]] || install_packages "${registry_packages[@]}"
    [[ ${programs[*]} != */commands/fsck.sh* ]] || install_packages "${fsck_packages[@]}"
    [[ ${programs[*]} != */commands/exercise.sh* ]] || install_packages "${exercise_packages[@]}"
    [[ ${programs[*]} != */interop/bases.sh* ]] || install_packages "${bases_packages[@]}" "${nfs_packages[@]}"
    [[ ${programs[*]} != */interop/tracing.sh* ]] || install_packages "${tracing_packages[@]}"
    [[ ${programs[*]} != */interop/nfs*.sh* ]] || install_packages "${nfs_packages[@]}"
    command=("${wrapper[@]}" "$tree/tests/guest-programs.sh" "${programs[@]}")
    local report_file="$build/test/$log.report"
    open_sink "$log" "$title: "
    run_in_vm </dev/null >&"$sink"
    status=$?
    close_sink
    result_of_kernel_log "$what" $status
}

# guest_programs all|commands|quick|engines|programs NAME: the wanted ones for this kernel, "SUITE:PROGRAM" a line.
guest_programs() {
    local suite program name
    "list_$1_programs" "$2" | while read -r suite program; do
        name=$(basename "$program" .sh)
        wanted "$suite" "$name" && echo "$suite:$program"
    done
}

# Hostile marks are read by the same code on all kernels: where one with detectors is tested as well, there alone.
hostile_is_left_to_debug() {
    [[ " ${quick_on[*]} " == *" debug "* && $1 != debug ]]
}

list_all_programs() {
    local left_out='^$'
    ! hostile_is_left_to_debug "$1" || left_out='/hostile$'
    list_kselftests | grep -vE "$left_out" | sed 's/^/kselftest /'
    printf 'interop %s\n' "$tree"/tests/interop/*.sh
    echo "powercut $tree/tests/powercut/flushes.sh"
    [[ $as == shale ]] || list_engines "$1"
}

list_commands_programs() {
    printf 'commands %s\n' "$tree"/tests/commands/*.sh
}

# Less those that fill or break a disk again and again, or go on for a set time; where the kernel has no detectors,
# less hostile marks, which all kernels read with the same code, and fault injection, which it has not got.
list_quick_programs() {
    local left_out='base_|failures_|hostile|stress'
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

# Their bases are file systems that kernels which nobody packages don't have.
list_programs_programs() {
    [[ " ${uml_kernels[*]} " == *" $1 "* ]] || printf 'programs %s\n' "$tree"/tests/programs/*.sh
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
