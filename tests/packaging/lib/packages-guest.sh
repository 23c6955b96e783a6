#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
#   packages-guest.sh ROOT
#
# In the guest: what the system in ROOT does at the first mount. The kernel asks for modules in the guest's root
# directory, so the modules of ROOT are shown there instead of those that the test machine came with.

set -u
root=$1

# check NAME COMMAND...
check() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        echo "pass $name"
    else
        printf 'note %s\n' "$output"
        echo "fail $name"
    fi
}

in_root() {
    chroot "$root" "$@"
}

enter() {
    rmmod shale && mount --bind "$root/lib/modules" /lib/modules &&
        mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount --rbind /sys "$root/sys" &&
        mkdir -p "$root"/{scratch,srv/{plain,one,many,command}} && mount --bind /scratch "$root/scratch"
}

make_layers() {
    local i
    mkdir -p /scratch/{upper,work,upper2,work2} /scratch/layers/number-{1..300}
    for i in {1..300}; do
        echo "$i" >"/scratch/layers/number-$i/file-$i"
    done
    many=$(printf ':/scratch/layers/number-%s' {1..300})
    many=${many#:}
    {
        echo "none /srv/one shale lowerdir=/scratch/layers/number-2,upperdir=/scratch/upper,workdir=/scratch/work 0 0"
        echo "none /srv/many shale noatime,lowerdir=$many,upperdir=/scratch/upper2,workdir=/scratch/work2,x-test 0 0"
    } >"$root/etc/fstab"
}

is_the_systems_module() {
    [[ $(</sys/module/shale/srcversion) == $(modinfo -b "$root" -F srcversion shale) &&
        $(</sys/module/shale/version) == $(modinfo -b "$root" -F version shale) ]]
}

release_all() {
    umount "$root"/srv/{plain,one,many,command} && rmmod shale
}

check "the system's modules are shown" enter
make_layers
check "before the first mount the module is not loaded" test ! -e /sys/module/shale
check "mount -t shale works" in_root mount -t shale -o lowerdir=/scratch/layers/number-1 none /srv/plain
check "and has loaded the system's own module" is_the_systems_module
check "the layer is there" test -e "$root/srv/plain/file-1"
check "mount -a mounts what fstab says" in_root mount -a
check "a writable mount" in_root sh -c 'echo new >/srv/one/new && cat /srv/one/file-2'
check "one of 300 layers" in_root sh -c 'cat /srv/many/file-300 && echo new >/srv/many/new'
check "a second mount -a has nothing to do" in_root mount -a
check "remounting one of fstab" in_root sh -c 'mount -o remount,ro /srv/one && ! touch /srv/one/no'
check "the command mounts, too" in_root shale mount --lower /scratch/layers/number-3 /srv/command
check "and tells of all four mounts" in_root sh -c '[ "$(shale mounts | grep -c /srv/)" = 4 ]'
check "all can be unmounted, and the module unloaded" release_all
check "netlink loads it, too" in_root shale mounts
check "and it can go again" rmmod shale
