# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Kernels that nobody packages: User Mode Linux, built from Debian's kernel source as
# uml/common.config and uml/NAME.config say.

readonly uml_kernels=(bare debug)

uml_packages=(linux-source-6.12 flex bison)

# prepare_uml_kernel NAME: what prepare_kernel promises, with one difference: `linux`, a
# program, stands in the place of vmlinux. Built once for each state of what goes into it.
prepare_uml_kernel() {
    local key
    install_packages "${uml_packages[@]}"
    key=$(uml_key "$1") || die "kernel: cannot tell what $1 is made of"
    uml_kernel_is_current "$key" && return
    with_lock "$cache/uml.lock" build_uml_kernel "$1" "$key"
}

uml_kernel_is_current() {
    [[ -e $kernel_dir/release && -e $kernel_dir/key && $(<"$kernel_dir/key") == "$1" ]]
}

uml_key() {
    { uml_source_version && uml_config "$1" && gcc --version; } | sha256sum
}

uml_source_version() {
    dpkg-query -W -f '${Version}\n' linux-source-6.12
}

uml_config() {
    cat "$tree/tests/vm/uml/common.config" "$tree/tests/vm/uml/$1.config"
}

# About how many files are compiled, for show_progress alone.
uml_objects() {
    case $1 in
    bare) echo 775 ;;
    debug) echo 1330 ;;
    esac
}

build_uml_kernel() {
    local name=$1 key=$2 unfinished=$cache/kernels/$1.unfinished source
    uml_kernel_is_current "$key" && return      # somebody else did it meanwhile
    unpack_uml_source
    say "kernel: building $name from linux-source-6.12 $(uml_source_version), which takes minutes, once"
    rm -rf "$unfinished"
    mkdir -p "$unfinished/build"
    configure_uml_kernel "$name" "$unfinished"
    supervised make_uml "$unfinished/build" all > >(tee "$unfinished/log" | show_progress "$name" "$(uml_objects "$name")") 2>&1 ||
        uml_build_failed "$unfinished/log"
    install_uml_kernel "$unfinished"
    echo "$key" >"$unfinished/key"
    rm -rf "$kernel_dir"
    mv "$unfinished" "$kernel_dir"
    say "kernel: $name is ready"
}

uml_build_failed() {
    tail -n 40 "$1" >&2
    die "kernel: the build failed; all that it said is in $1"
}

# Leaves its place in $source. Graphics and sound are most of it, and never built.
unpack_uml_source() {
    source=$cache/uml/source-$(uml_source_version)
    [[ -e $source ]] && return
    say "kernel: unpacking linux-source-6.12"
    rm -rf "$cache/uml"
    mkdir -p "$source.unfinished"
    tar -xJf /usr/src/linux-source-6.12.tar.xz -C "$source.unfinished" --strip-components=1 \
        --exclude='*/drivers/gpu/*.[ch]' --exclude='*/sound/*.[ch]' ||
        die "kernel: cannot unpack /usr/src/linux-source-6.12.tar.xz"
    mv "$source.unfinished" "$source"
}

# make_uml DIR TARGET...: out of the source's tree, in DIR.
make_uml() {
    local compiler="ccache gcc" dir=$1
    shift
    exec make -C "$source" O="$dir" ARCH=um CC="$compiler" HOSTCC="$compiler" -j "$(nproc)" "$@"
}

# What is not asked for is off. What is asked for must have come: an option that
# was renamed, or that depends on another one, would be lost without a word.
configure_uml_kernel() {
    local name=$1 dir=$2 lost
    uml_config "$name" >"$dir/config"
    (KCONFIG_ALLCONFIG=$dir/config make_uml "$dir/build" allnoconfig) >"$dir/log" 2>&1 || uml_build_failed "$dir/log"
    lost=$(grep '^CONFIG_' "$dir/config" | grep -vxFf "$dir/build/.config"
        sed -n 's/^# \(CONFIG_.*\) is not set$/^\1=/p' "$dir/config" | grep -f - "$dir/build/.config")
    [[ -z $lost ]] || die "kernel: $name cannot be configured so:"$'\n'"$lost"
}

# What make says on standard input becomes a line now and then.
show_progress() {
    local name=$1 total=$2 what rest count=0 next=$EPOCHSECONDS pause=20 begin='' end=$'\n'
    [[ -t 2 ]] && pause=1 begin=$'\r' end=''
    while read -r what rest; do
        [[ $what == CC || $what == AS ]] && count=$((count + 1))
        ((EPOCHSECONDS >= next)) || continue
        next=$((EPOCHSECONDS + pause))
        printf '%srun: kernel: %s: %d of about %d files compiled%s' "$begin" "$name" "$count" "$total" "$end" >&2
    done
    printf '%s' "$begin" >&2
}

# What build_kernel_dir promises of a kernel's directory, without what only its build needed.
install_uml_kernel() {
    local dir=$1 release
    (make_uml "$dir/build" -s INSTALL_MOD_PATH="$dir/modules" modules_install) >>"$dir/log" 2>&1 || uml_build_failed "$dir/log"
    release=$(<"$dir/build/include/config/kernel.release")
    rm -f "$dir/modules/lib/modules/$release/build"
    mkdir -p "$dir/modules/lib/modules/$release/kernel"
    strip -o "$dir/linux" "$dir/build/linux"
    cp "$dir/build/.config" "$dir/config"
    find "$dir/build" \( -name '*.o' -o -name '*.a' -o -name '*.cmd' -o -name '*.ko' \) -delete
    rm -f "$dir"/build/{linux,vmlinux,System.map,.tmp_*} "$dir/log"
    # So that modules are made here as for any other kernel.
    sed -i '1i export ARCH := um' "$dir/build/Makefile"
    ln -s build "$dir/headers"
    : >"$dir/boot-modules"
    echo "$release" >"$dir/release"
}
