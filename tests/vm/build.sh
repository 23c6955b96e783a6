# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Builds what a run needs, when it is out of date. Each builder writes its
# output into a log, which is shown only if something fails.

build_all() {
    mkdir -p "$build"
    with_lock "$build/.lock" build_everything || exit
}

build_everything() {
    build_vm_helpers
    [[ -n ${SHALE_VM_NOMODULE:-}${SHALE_VM_NOTOOLS:-} ]] || build_userspace
    build_module
}

# quietly NAME COMMAND...
quietly() {
    local name=$1 log=$build/$1.log
    shift
    supervised "$@" </dev/null >"$log" 2>&1 && return
    cat "$log" >&2
    die "$name: the build failed"
}

build_vm_helpers() {
    mkdir -p "$build/vm"
    make -q -C "$tree/tests/vm" OUT="$build/vm" >/dev/null 2>&1 && return
    say "build: the helpers of the virtual machine"
    quietly vm-helpers make -C "$tree/tests/vm" OUT="$build/vm"
}

build_userspace() {
    [[ -e $tree/CMakeLists.txt ]] || return 0
    if [[ ! -e $build/userspace/build.ninja ]]; then
        say "build: configuring the user-space tools"
        quietly userspace cmake -S "$tree" -B "$build/userspace" -G Ninja
    fi
    ninja -C "$build/userspace" -n 2>/dev/null | grep -q 'no work to do' && return
    say "build: the user-space tools"
    quietly userspace ninja -C "$build/userspace"
}

# Programs that run in the guest, by hand of their own Makefile.
build_kselftests() {
    make -q -s -C "$tree/tests/kselftest" OUT="$build/kselftest" 2>/dev/null && return
    say "build: the kernel self tests"
    with_lock "$build/.lock" quietly kselftest make -C "$tree/tests/kselftest" OUT="$build/kselftest" || exit
}

list_kselftests() {
    make -s -C "$tree/tests/kselftest" OUT="$build/kselftest" list
}

# The module is built in a copy, per kernel, so that kernels don't disturb each
# other. Leaves in $module_dir what the guest sees as /lib/modules: the kernel's
# modules and ours, so that `modprobe shale` works there.
build_module() {
    release=$(<"$kernel_dir/release")
    local copy=$build/kmod-$release
    if [[ -n ${SHALE_VM_NOMODULE:-} || ! -e $tree/Kbuild ]]; then
        module='' module_dir=$kernel_dir/modules/lib/modules
        return
    fi
    module=shale module_dir=$copy/lib/modules
    local sources
    sources=$(module_sources_state)
    [[ -e $copy/built && $(<"$copy/built") == "$sources" ]] && return
    say "build: the module for $release"
    mkdir -p "$copy"
    rm -f "$copy/built"
    rsync -a --delete "$tree/kmod" "$tree/include" "$copy/"
    rsync -a "$tree/Kbuild" "$copy/"
    quietly "kmod-$release" make -C "$kernel_dir/headers" M="$copy" -j "$(nproc)" W=1 modules
    install_module "$copy"
    echo "$sources" >"$copy/built"
}

# Changes whenever a source of the module does, comes or goes.
module_sources_state() {
    find "$tree/Kbuild" "$tree/kmod" "$tree/include" "$kernel_dir/release" -type f -printf '%p %s %T@\n' | LC_ALL=C sort | sha256sum
}

install_module() {
    local ours=$1/lib/modules/$release theirs=$kernel_dir/modules/lib/modules/$release
    rm -rf "${1:?}/lib"
    mkdir -p "$ours/updates"
    cp "$theirs"/modules.builtin* "$theirs"/modules.order "$ours/"
    ln -s "$theirs/kernel" "$ours/kernel"
    cp "$1/shale.ko" "$ours/updates/"
    depmod -b "$1" "$release" || die "module: depmod failed"
}
