#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What Docker, containerd and containers/storage find out about overlay before they use it, and what
# they rely on afterwards, asked of overlay.ko in our own words. Runs in a machine in which that module is
# the only overlay; needs coreutils, util-linux, kmod and python3. Speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")
syscall=$(dirname "$(readlink -f "$0")")/syscall.py

echo "TAP version 13"
if [[ ${SHALE_MODULE:-shale} != overlay ]]; then
    echo "1..0 # SKIP the module under test is not loaded as overlay"
    exit 0
fi

# Engines use mount(2), which newer versions of mount(8) do when told.
export LIBMOUNT_FORCE_MOUNT2=always

scratch=$(mktemp -d "${SHALE_SCRATCH:-/scratch}/probes.XXXXXX") || exit 1
cd "$scratch" || exit
clean_up() {
    cd /
    umount -q -R "$scratch"/* "$scratch"/*/merged 2>/dev/null
    rm -rf --one-file-system "$scratch"
}
trap clean_up EXIT

ktap_log=$scratch/log
# shellcheck source=tests/ktap.sh
source "$tests/ktap.sh"

# try NAME COMMAND...: one test, in an empty directory of its own, whose mount is undone.
try() {
    local name=$1 dir=$scratch/$((ktap_number + 1))
    shift
    mkdir "$dir"
    ok "$name" among_layers "$dir" "$@"
    umount -q "$dir/merged"
}

# among_layers DIR COMMAND...: there, with directories to mount
among_layers() (
    cd "$1" && mkdir low1 low2 upper work merged && "${@:2}"
)

# is EXPECTED COMMAND...: prints exactly that
is() {
    local expected=$1 printed
    shift
    printed=$("$@")
    [[ $printed == "$expected" ]] && return
    printf '%s\n  printed:  %s\n  expected: %s\n' "$*" "$printed" "$expected"
    return 1
}

# fails ERROR WORD...: syscall.py WORD... fails with ERROR
fails() {
    local expected=$1
    shift
    is "$expected" "$syscall" "$@"
}

overlay() {
    mount -t overlay -o "$1" overlay "${2:-merged}"
}

readonly layers=lowerdir=low2:low1,upperdir=upper,workdir=work

# --- Being found -------------------------------------------------------------

# The module under test was loaded with the machine; without it there must be no overlay at all.
kernel_has_none_of_its_own() {
    rmmod overlay && ! grep -w overlay /proc/filesystems && [[ ! -e /sys/module/overlay ]] &&
        ! modinfo -F filename overlay | grep /fs/overlayfs/
}

loads_itself() {
    [[ ! -e /sys/module/overlay ]] && overlay "$layers" && [[ -e /sys/module/overlay ]]
}

is_listed() {
    grep -x $'nodev\toverlay' /proc/filesystems
}

has_parameters() {
    local name
    for name in index redirect_dir metacopy nfs_export xino_auto; do
        is N cat "/sys/module/overlay/parameters/$name" || return
    done
    is Y cat /sys/module/overlay/parameters/redirect_always_follow
}

# --- What it is mounted with ----------------------------------------------------

has_types() {
    mkdir low1/dir
    touch low1/file
    ln -s file low1/link
    overlay "$layers" &&
        is $'. 4\n.. 4\ndir 4\nfile 8\nlink 10' sorted "$syscall" types merged
}

sorted() {
    "$@" | LC_ALL=C sort
}

mounts_two_lowers() {
    echo 1 >low1/one && echo 1 >low1/both
    echo 2 >low2/two && echo 2 >low2/both
    overlay "$layers" && is $'2\n1\n2' cat merged/both merged/one merged/two &&
        echo 3 >merged/three && is 3 cat upper/three
}

# Docker and containerd say index=off if there is a parameter of that name.
mounts_with_index_off() {
    [[ ! -e /sys/module/overlay/parameters/index ]] || overlay "index=off,$layers"
}

mounts_with_everything_off() {
    overlay "$layers,redirect_dir=off,metacopy=off,xino=off,index=off,nfs_export=off"
}

mounts_read_only() {
    echo 1 >low1/one
    "$syscall" mount ro lowerdir=low2:low1 merged && is 1 cat merged/one &&
        ! touch merged/new && ! [[ -e low2/new ]]
}

refuses_one_lower() {
    fails EINVAL mount ro lowerdir=low1 merged
}

# Many layers get into the one page of mount(2) by short relative names, which are symbolic links.
mounts_short_names() {
    local i names=
    mkdir l
    for ((i = 0; i < 127; i++)); do
        mkdir -p "layers/$i/diff" && echo "$i" >"layers/$i/diff/$i" && ln -s "../layers/$i/diff" "l/$i" || return
        names+=:l/$i
    done
    overlay "lowerdir=${names#:},upperdir=upper,workdir=work" && is $'0\n63\n126' cat merged/0 merged/63 merged/126
}

is_shown_in_proc_mounts() {
    overlay "lowerdir=$PWD/low2:$PWD/low1,upperdir=$PWD/upper,workdir=$PWD/work" || return
    local line
    line=$(grep " $PWD/merged " /proc/self/mounts) && echo "$line"
    [[ $line == "overlay $PWD/merged overlay rw,"*"lowerdir=$PWD/low2:$PWD/low1,upperdir=$PWD/upper,workdir=$PWD/work"* ]]
}

# Which is how an engine tells whether a directory is mounted already.
has_magic_of_overlayfs() {
    overlay "$layers" && is 794c7630 stat -f -c %t merged
}

# containers/storage takes EINVAL, and nothing else, for a kernel that is too old for an option.
refuses_what_it_has_not() {
    local option
    for option in metacopy=on redirect_dir=on volatile; do
        "$syscall" mount "" "$layers,$option" merged >error && umount merged && continue
        is EINVAL cat error || return
    done
}

# --- Whether the upper alone tells what changed ----------------------------------

does_not_copy_opaque() {
    mkdir low1/dir low2/dir
    touch low1/dir/below
    "$syscall" setxattr low2/dir trusted.overlay.opaque y
    overlay "$layers" && touch merged/dir/file &&
        fails ENODATA getxattr upper/dir trusted.overlay.opaque && is file ls merged/dir
}

# A renamed directory of a lower must not lie in the upper as a mere reference to its old name.
makes_no_redirects() {
    local answer
    mkdir low1/dir
    touch low1/dir/file
    overlay "$layers" || return
    if answer=$("$syscall" rename merged/dir merged/moved); then
        fails ENODATA getxattr upper/moved trusted.overlay.redirect && [[ -e upper/moved/file ]]
    else
        [[ $answer == EXDEV ]] && mv merged/dir merged/moved && [[ -e upper/moved/file ]]
    fi
}

copies_data_with_metadata() {
    echo data >low1/file
    overlay "$layers" && chmod 600 merged/file &&
        fails ENODATA getxattr upper/file trusted.overlay.metacopy && is data cat upper/file
}

makes_whiteouts() {
    mkdir low1/dir
    touch low1/file low1/dir/inner
    overlay "$layers" && rm -r merged/file merged/dir && is "" ls merged &&
        is $'character special file 0:0\ncharacter special file 0:0' stat -c '%F %t:%T' upper/file upper/dir
}

makes_opaque_directories() {
    mkdir low1/dir
    touch low1/dir/inner
    overlay "$layers" && rm -r merged/dir && mkdir merged/dir && is "" ls merged/dir &&
        is y "$syscall" getxattr upper/dir trusted.overlay.opaque
}

# An engine unpacks layers outside of any mount.
obeys_marks_of_an_engine() {
    mkdir low1/dir low2/dir
    touch low1/file low1/dir/below low2/dir/above
    mknod low2/file c 0 0 && "$syscall" setxattr low2/dir trusted.overlay.opaque y &&
        overlay "$layers" && is dir ls merged && is above ls merged/dir
}

hides_marks() {
    mkdir low1/dir low2/dir
    "$syscall" setxattr low2/dir trusted.overlay.opaque y
    "$syscall" setxattr low2/dir trusted.other x
    overlay "$layers" && fails ENODATA getxattr merged/dir trusted.overlay.opaque &&
        is trusted.other "$syscall" listxattr merged/dir
}

makes_no_marks_by_hand() {
    overlay "$layers" && ! mknod merged/device c 0 0 && [[ ! -e upper/device ]]
}

works_with_userxattr() {
    mkdir low1/dir
    touch low1/dir/inner low1/file
    overlay "$layers,userxattr" && rm -r merged/dir merged/file && mkdir merged/dir && is "" ls merged/dir &&
        is y "$syscall" getxattr upper/dir user.overlay.opaque && is 0:0 stat -c %t:%T upper/file &&
        fails ENODATA getxattr upper/dir trusted.overlay.opaque
}

# --- Trouble -------------------------------------------------------------------

# Mounts that an engine leaks keep directories in use that it mounts again.
mounts_what_is_in_use() {
    local status
    mkdir second
    echo 1 >low1/one
    overlay "$layers" && dmesg >before && overlay "$layers" second || return
    is 1 cat second/one && dmesg | tail -n +"$(($(wc -l <before) + 1))" | grep -i "in.use"
    status=$?
    umount second
    return $status
}

refuses_nonsense() {
    local options
    while read -r options; do
        if "$syscall" mount "" "$options" merged >error; then
            echo "mounted: $options"
            return 1
        fi
        echo "$(<error): $options"
        [[ $(<error) == E* ]] || return
    done <<'END'

,,,
=
lowerdir
lowerdir=
lowerdir=:
lowerdir=low1:
lowerdir=:low1,upperdir=upper,workdir=work
lowerdir=low1,upperdir=upper
lowerdir=low1,upperdir=,workdir=
lowerdir=low1,upperdir=upper,workdir=upper
lowerdir=low1,upperdir=upper,workdir=upper/inside
lowerdir=low1,upperdir=upper,workdir=/proc
lowerdir=absent,upperdir=upper,workdir=work
lowerdir=/dev/null,upperdir=upper,workdir=work
lowerdir=low1:low1,upperdir=upper,workdir=work
lowerdir=upper,upperdir=upper,workdir=work
lowerdir=low1,upperdir=upper,workdir=work,nonsense
lowerdir=low1,upperdir=upper,workdir=work,index=perhaps
lowerdir=low1,upperdir=upper,workdir=work,xino
lowerdir=low1,upperdir=upper,workdir=work,userxattr=yes
stack=0
stack=1000000
END
    overlay "$layers"
}

# A mount of the module must not carry what an engine keeps below its root.
unmounts_lazily() {
    echo 1 >low1/one
    overlay "$layers" || return
    exec 3<merged/one
    umount --lazy merged && is "" ls merged && is 1 cat <&3
    local status=$?
    exec 3<&-
    return $status
}

try "without our module the kernel has no overlay" kernel_has_none_of_its_own
try "mount -t overlay loads it" loads_itself
try "/proc/filesystems lists it, without device" is_listed
try "the parameters of overlayfs can be read: features are off" has_parameters
try "d_type is right" has_types
try "two lowers, upper and work directory" mounts_two_lowers
try "index=off, if there is that parameter" mounts_with_index_off
try "all features off" mounts_with_everything_off
try "two lowers, read-only" mounts_read_only
try "one lower without upper is EINVAL" refuses_one_lower
try "127 lowers by short relative names" mounts_short_names
try "/proc/mounts shows type, source and layers" is_shown_in_proc_mounts
try "statfs(2) says what overlayfs does" has_magic_of_overlayfs
try "metacopy=on, redirect_dir=on, volatile: works, or EINVAL" refuses_what_it_has_not
try "native diff: the opaque mark is not copied up" does_not_copy_opaque
try "native diff: no redirect when a directory is renamed" makes_no_redirects
try "native diff: chmod copies the data, too" copies_data_with_metadata
try "native diff: what is removed is a device 0:0 in the upper" makes_whiteouts
try "native diff: what is made anew is opaque" makes_opaque_directories
try "whiteouts and opaque directories that an engine made" obeys_marks_of_an_engine
try "marks can't be seen through the mount" hides_marks
try "whiteouts can't be made through the mount" makes_no_marks_by_hand
try "userxattr: marks are user.overlay.*" works_with_userxattr
try "an upper in use is mounted again, with a warning" mounts_what_is_in_use
try "unmounting lazily" unmounts_lazily
try "wrong options are refused, and do no harm" refuses_nonsense

finish
