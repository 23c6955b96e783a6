#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `shale verify` promises: nothing is found in mounts of layers that have everything, by Shale and by the kernel's
# overlayfs; and what is wrong is found, with the rule. Runs in the guest, as root, with the module loaded; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")
# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
# shellcheck source=tests/interop/lib/oracle.sh
source "$tests/interop/lib/oracle.sh"
# shellcheck disable=SC2154 # made by said.sh
here=$scratch

# set_xattr PATH NAME HEX
set_xattr() { /usr/bin/python3 -IBS -c 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]), follow_symlinks=False)' "$@"; }
# mark PATH NAME [TEXT]
mark() { set_xattr "$1" "trusted.overlay.$2" "$(printf %s "${3-}" | od -An -tx1 | tr -d ' \n')"; }

# make_layers TYPE: in a (top) to c and data, with all kinds of objects and marks that TYPE knows here
make_layers() {
    rm -rf a b c data u w
    mkdir -p a/merged a/opaque a/renamed a/moved b/merged b/opaque b/plain/deep c/merged/below c/opaque c/old/sub c/far/away \
        data/blobs u w m
    echo top >a/merged/one; echo middle >b/merged/two; echo base >c/merged/below/three; echo hidden >c/merged/one
    echo gone >b/gone; mknod a/gone c 0 0; mkdir c/gone-dir; echo x >c/gone-dir/x; mknod b/gone-dir c 0 0
    mark a/opaque opaque y; echo shown >a/opaque/shown; echo hidden >b/opaque/hidden; echo hidden >c/opaque/hidden2
    mark a/renamed redirect old; mknod a/old c 0 0; echo renamed >c/old/sub/file; echo new >a/renamed/new
    mark a/moved redirect /far/away; echo moved >c/far/away/file
    head -c 300000 /dev/urandom >c/large; truncate -s 300000 a/large; mark a/large metacopy; chmod 600 a/large
    head -c 1000 /dev/urandom >c/origin; truncate -s 1000 b/copied; mark b/copied metacopy; mark b/copied redirect /origin
    echo of-data >data/blobs/1; truncate -s 8 b/of-data; mark b/of-data metacopy; mark b/of-data redirect /blobs/1
    echo linked >c/link1; ln c/link1 c/link2; ln c/link1 c/plain-link; echo two >b/pair1; ln b/pair1 b/pair2
    mkfifo b/fifo; mknod b/null c 1 3; mknod c/loop b 7 0; ln -s plain/deep b/symlink; ln -s "$(printf 'x%.0s' {1..200})" c/long-link
    /usr/bin/python3 -IBS -c 'import socket; socket.socket(socket.AF_UNIX).bind("c/socket")'
    echo secret >c/owned; chown 12:34 c/owned; chmod 4750 c/owned; : >c/empty; truncate -s 5M c/sparse
    set_xattr c/owned user.color 726564; set_xattr b/symlink trusted.note 00ff; set_xattr b/plain user.big "$(printf '61%.0s' {1..500})"
    set_xattr c/owned system.posix_acl_access 0200000001000600ffffffff02000700b80b000004000500ffffffff10000700ffffffff20000000ffffffff
    set_xattr b/plain system.posix_acl_default 0200000001000700ffffffff04000500ffffffff20000500ffffffff
    cp /bin/true c/program; set_xattr c/program security.capability 0100000200200000000000000000000000000000
    touch -d '1999-01-02 03:04:05.678901234' c/owned b/plain
    [[ $1 == overlay ]] && overlayfs_is_old && return
    mark c/owned overlay.opaque y
    mkdir a/x b/x; mark a opaque x; mark a/x opaque x; : >a/x/hidden; mark a/x/hidden whiteout y; echo hidden >b/x/hidden
}

# mount_layers TYPE [OPTIONS]: by mount(2), with layers of data where the kernel has them
mount_layers() {
    local lowers=$here/a:$here/b:$here/c
    [[ $1 == overlay ]] && overlayfs_is_old || lowers+=::$here/data
    [[ $1 != overlay ]] || ! overlayfs_is_old || rm -f b/of-data
    mount -t "$1" -o "lowerdir=$lowers,upperdir=$here/u,workdir=$here/w,redirect_dir=on,metacopy=on${2-}" none m
}

# change: through the mount, so that there are copies, whiteouts and redirects of its own
change() {
    echo more >>m/merged/two
    rm m/merged/below/three m/pair1
    mv m/plain m/elsewhere
    mkdir m/merged/new; echo new >m/merged/new/file; ln m/merged/new/file m/merged/new/again
    rm -r m/opaque; mkdir m/opaque; echo anew >m/opaque/file
    chmod 640 m/sparse; chown 5:6 m/fifo; touch -h m/symlink
    echo more >>m/link1
    truncate -s 10 m/large
}

clean() { says "as the layers say|" shale verify "$@" m; }
# finds RULE PATH [OPTION...]: that rule for that path, and exit status 1
finds() {
    local rule=$1 path=$2 status
    shift 2
    shale verify m --json "$@" >out 2>err
    status=$?
    cat out err
    ((status == 1)) && /usr/bin/python3 -IBS -c 'import json, sys
d = json.load(open("out"))
sys.exit(not any(f["rule"] == sys.argv[1] and f["path"] == sys.argv[2] for f in d["findings"]))' "$rule" "$path"
}

# has_looked: not less than find sees, and some content
has_looked() {
    local seen
    seen=$(find m -xdev -mindepth 1 | wc -l)
    echo "$seen names"
    ((seen > 30)) && [[ $(json "d['names'] >= $seen and d['directories'] > 10 and d['bytes'] > 5000000" shale verify m --json) == True ]]
}

# fresh TYPE: a mount of a few plain layers, whose names are known to it
fresh() {
    umount -q m
    rm -rf a b u w
    mkdir -p a/d b/d u w m
    echo content >b/f; echo content >b/d/g; echo hidden >b/h; mknod a/h c 0 0; echo content >b/swapped
    mount -t "$1" -o "lowerdir=$here/a:$here/b,upperdir=$here/u,workdir=$here/w" none m && ls -lR m >/dev/null
}

try_type() {
    local type=$1
    make_layers "$type"
    mount_layers "$type" || { result 1 "$type: mounted"; return; }
    ok "$type: nothing is found in layers with everything" clean
    change >/dev/null 2>&1
    ok "$type: nor after changes" clean
    ok "$type: all was looked at" has_looked
    ok "$type: nor without content" clean --no-content
    ok "$type: nor by one thread" clean --jobs 1
    ok "$type: nor in a directory" says "names in|as the layers say|" shale verify m/merged
    ok "$type: nor in one that was renamed" says "as the layers say|" shale verify m/elsewhere
    mount --bind m/merged m2
    ok "$type: nor in one that is bound elsewhere" says "as the layers say|" shale verify m2
    umount m2
    mount -t tmpfs none m/merged; echo covers >m/merged/cover
    ok "$type: a mount on top does not deceive it" clean
    umount m/merged
    umount m && mount_layers "$type"
    ok "$type: nor when mounted anew" clean
    umount m; rm -rf u w; mkdir u w
    mount_layers "$type" ,index=on
    change >/dev/null 2>&1
    ok "$type: nor with an index" clean
    umount m && mount_layers "$type" ,index=on
    ok "$type: nor with an index, mounted anew" clean
    umount m

    mkdir -p "$scratch/memory"; mount -t tmpfs none "$scratch/memory"
    for xino in off on auto; do
        rm -rf u w a b; mkdir -p u w a b/d "$scratch/memory/low/d"
        echo 1 >b/d/f; echo 2 >"$scratch/memory/low/d/g"; echo 3 >"$scratch/memory/low/h"
        mount -t "$type" -o "xino=$xino,lowerdir=$here/b:$scratch/memory/low,upperdir=$here/u,workdir=$here/w" none m
        echo more >>m/d/g
        ok "$type: nor on two file systems, xino=$xino" clean
        umount m
    done
    umount "$scratch/memory"

    rm -rf a b u w; mkdir -p a/d b/d u w; echo hidden >b/d/f
    set_xattr a/d user.overlay.opaque 79; set_xattr a/d trusted.overlay.redirect 78
    mount -t "$type" -o "userxattr,lowerdir=$here/a:$here/b,upperdir=$here/u,workdir=$here/w" none m
    ok "$type: nor with userxattr" clean

    fresh "$type"; before=$(stat -c %X b/f b/d)
    touch -a -d '2001-01-01' b/f b/d; before=$(stat -c %X b/f b/d)
    shale verify m >/dev/null
    ok "$type: no access time changes" test "$before" = "$(stat -c %X b/f b/d)"

    fresh "$type"; chmod 600 b/f; mark b/f origin; mark b/f metacopy; mark b/f redirect ..
    ok "$type: a forged redirect is found" finds 4.4 /f
    fresh "$type"; mknod a/f c 0 0
    ok "$type: a whiteout that was put in is found" finds 3.1 /f
    fresh "$type"; mark a/d opaque y
    ok "$type: a forged mark is found" finds 3.3 /d/g
    fresh "$type"; exec 9<m/swapped; mv b/swapped b/kept; echo CONTENT >b/swapped; touch -r b/kept b/swapped; exec 9<&-
    ok "$type: swapped data are found" finds 11.1 /swapped
    ok "$type: but not without content" sh -c 'shale verify m --no-content --json | grep -q "\"11.1\""; [ $? = 1 ]'
    ok "$type: nor where something else is verified" says "as the layers say|" shale verify m/d
    fresh "$type"; mv b/d b/away
    ok "$type: a lower directory that is gone is found" finds_gone
    umount m
}
# By what the mount remembers of it:
finds_gone() { finds 1.2 /d/g || finds 8.3 /d; }

echo "TAP version 13"
mkdir -p m m2
try_type "$module"
if [[ $module != overlay ]] && { modprobe -q overlay || grep -qw overlay /proc/filesystems; }; then
    try_type overlay
else
    skip "overlayfs" "this kernel has no other"
fi

ok "what is no such mount is refused" refuses 1 "/tmp: |type is|findmnt|" shale verify /tmp
ok "so is what is not there" refuses 1 "none: |" shale verify none
ok "whoever is not root is refused" refuses 1 "sudo|" sh -c 'mkdir -p a b; mount -t '"$module"' -o lowerdir=a:b none m;
    setpriv --reuid 65534 --clear-groups '"$(command -v shale)"' verify m; s=$?; umount m; exit $s'

finish
