# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# `./run bench`: Shale and in-tree overlayfs do the same in turns, in one guest whose clock counts instructions and in
# one whose clock is the time. The tables are printed; what was measured, and plots of it, are left in build/bench/.

bench_packages=(python3 python3-matplotlib dmsetup)

readonly bench_clocks=(counted timed)

# run_bench [WORD]: only cases whose name contains the word.
run_bench() {
    local clock
    prepare_bench
    for clock in "${bench_clocks[@]}"; do
        say "bench: $clock, on kernel $kernel"
        run_bench_guest "$clock" ${1+--only "$1"} >"$build/bench/$clock.json" || return
    done
    "$tree/tests/bench/report.py" "$build/bench"
}

prepare_bench() {
    install_packages "${bench_packages[@]}"
    with_lock "$build/.lock" build_userspace bench
    mkdir -p "$build/bench"
}

run_bench_guest() {
    local counted=no base=tmpfs terminal=no
    [[ $1 == timed ]] || counted=yes
    command=("$tree/tests/bench/in-guest.sh" "$@")
    run_in_vm
}
