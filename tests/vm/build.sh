# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Builds what a run needs, when it is out of date. Each builder writes its
# output into a log, which is shown only if something fails.

# What every machine needs, whatever its kernel.
build_for_vm() {
    build_vm_helpers
    build_userspace programs
}

# What the tests need.
build_for_tests() {
    build_vm_helpers
    build_userspace all
    build_kselftests
    build_fuzzers
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

# build_userspace TARGET: programs, or all, which has manual and unit tests as well.
build_userspace() {
    local launcher=()
    # What was compiled before, in this tree or in another, is not compiled again.
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_{C,CXX}_COMPILER_LAUNCHER=ccache)
        export CCACHE_BASEDIR=$tree CCACHE_NOHASHDIR=1
    fi
    if [[ ! -e $build/userspace/build.ninja ]]; then
        say "build: configuring the user-space tools"
        quietly userspace cmake -S "$tree" -B "$build/userspace" -G Ninja "${launcher[@]}"
    fi
    ninja -C "$build/userspace" -n "$1" 2>/dev/null | grep -q 'no work to do' && return
    say "build: user space ($1)"
    quietly userspace ninja -C "$build/userspace" -j "$(nproc)" "$1"
}

# Test programs that run in the guest.
build_kselftests() {
    make -q -s -C "$tree/tests/kselftest" OUT="$build/kselftest" 2>/dev/null && return
    say "build: the kernel self tests"
    quietly kselftest make -C "$tree/tests/kselftest" OUT="$build/kselftest"
}

list_kselftests() {
    make -s -C "$tree/tests/kselftest" OUT="$build/kselftest" list
}

# Programs that give random bytes to what reads layers, on the host.
build_fuzzers() {
    mkdir -p "$build/fuzz"
    make -q -s -C "$tree/tests/fuzz" OUT="$build/fuzz" 2>/dev/null && return
    say "build: the fuzzers"
    quietly fuzzers make -C "$tree/tests/fuzz" OUT="$build/fuzz"
}

list_fuzzers() {
    make -s -C "$tree/tests/fuzz" OUT="$build/fuzz" list
}

# The module is built in a copy, per kernel and name ($as), so that these don't disturb each
# other. Leaves in $module_dir what the guest sees as /lib/modules: the kernel's
# modules and ours, so that `modprobe shale` works there. For $coverage it counts what is run.
build_module() {
    release=$(<"$kernel_dir/release")
    local name=kmod-$release counting=()
    [[ $as == shale ]] || name+=-$as
    [[ $coverage == no ]] || name+=-coverage counting=(GCOV_PROFILE=y)
    local copy=$build/$name sources
    module=$as module_dir=$copy/lib/modules
    sources=$(module_sources_state)
    [[ -e $copy/built && $(<"$copy/built") == "$sources" ]] && return
    say "build: the module for $release, $as.ko"
    mkdir -p "$copy"
    rm -f "$copy/built"
    rsync -a --delete "$tree/kmod" "$tree/include" "$copy/"
    rsync -a "$tree/Kbuild" "$copy/"
    quietly "$name" "$tree/tests/vm/kernel-make.sh" "$kernel_dir" "$copy" -j "$(nproc)" W=1 SHALE_NAME="$as" \
        "${counting[@]}" modules
    install_module "$copy"
    echo "$sources" >"$copy/built"
}

# Changes whenever a source of the module does, comes or goes.
module_sources_state() {
    find "$tree/Kbuild" "$tree/kmod" "$tree/include" "$kernel_dir/release" -type f -printf '%p %s %T@\n' | LC_ALL=C sort | sha256sum
}

install_module() {
    local ours=$1/lib/modules/$release theirs=$kernel_dir/modules/lib/modules/$release
    [[ -e $1/$as.ko ]] || die "module: the build made no $as.ko"
    rm -rf "${1:?}/lib"
    mkdir -p "$ours/updates"
    cp "$theirs"/modules.builtin* "$theirs"/modules.order "$ours/"
    if [[ $as == overlay ]]; then
        show_modules_without_overlay "$theirs/kernel" "$ours/kernel"
    else
        ln -s "$theirs/kernel" "$ours/kernel"
    fi
    cp "$1/$as.ko" "$ours/updates/"
    depmod -b "$1" "$release" || die "module: depmod failed"
}

# Whatever asks this kernel for overlay gets ours.
show_modules_without_overlay() {
    local theirs=$1 ours=$2 entry
    ! grep -q '/overlay\.ko$' "$theirs/../modules.builtin" ||
        die "module: this kernel has overlay built in, so that ours can't take its place"
    mkdir -p "$ours/fs"
    for entry in "$theirs"/* "$theirs"/fs/*; do
        [[ ! -e $entry || $entry == "$theirs"/fs || $entry == */fs/overlayfs ]] ||
            ln -s "$entry" "$ours${entry#"$theirs"}"
    done
}
