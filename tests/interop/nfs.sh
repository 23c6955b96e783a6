#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A mount with nfs_export=on is served by the kernel's NFS server, and mounted over loopback: what a client sees and does,
# by NFS 3 and NFS 4. The client keeps what it has while the server forgets everything, twice in the end: its caches, and
# itself with the mount.

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/ktap.sh
source "$here/../ktap.sh"
# shellcheck source=tests/interop/lib/nfs-server.sh
source "$here/lib/nfs-server.sh"

echo "KTAP version 1"
missing=$(nfs_server_missing)
if [[ -n $missing ]]; then
    echo "1..0 # SKIP ${missing//$'\n'/, }"
    exit 0
fi

type=${SHALE_TYPE:-${SHALE_MODULE:-shale}}
dir=$(mktemp -d /scratch/nfs.XXXXXX) || exit 1
ktap_log=$dir/log
mkdir "$dir"/{low,merged,client}
merged=$dir/merged client=$dir/client

clean_up() {
    exec {held}<&- 2>/dev/null
    umount -l "$client" 2>/dev/null
    nfs_server_stop 2>/dev/null
    umount "$merged" 2>/dev/null
    rm -rf --one-file-system "$dir"
}
trap clean_up EXIT

make_lower() {
    mkdir -p "$dir"/low/{a/b/c,d,gone}
    echo low >"$dir/low/file"
    echo inner >"$dir/low/a/b/inner"
    echo deep >"$dir/low/a/b/c/deep"
    ln -s file "$dir/low/link"
    echo file >"$dir/low/gone/file"
    seq 1000 >"$dir/low/large"
    for ((i = 10; i < 90; i++)); do
        : >"$dir/low/d/name.$i"
    done
}

mount_merged() {
    mount -t "$type" -o "lowerdir=$dir/low,upperdir=$dir/upper,workdir=$dir/work,nfs_export=on,metacopy=off,redirect_dir=on" \
        nfs "$merged"
}

serve() {
    mount_merged && nfs_server_start && nfs_server_export "$merged" 77
}

forget() {
    echo 2 >/proc/sys/vm/drop_caches
}

# is TEXT FILE
is() {
    [[ $(<"$2") == "$1" ]] && return
    echo "$2: $(<"$2"), not $1"
    return 1
}

# has COUNT DIR: that many names
has() {
    local names
    names=$(find "$2" -mindepth 1 -maxdepth 1 | wc -l)
    ((names == $1)) && return
    echo "$2 has $names names, not $1"
    return 1
}

reads() {
    is low "$client/file" && is deep "$client/a/b/c/deep" && [[ $(readlink "$client/link") == file ]] &&
        cmp "$dir/low/large" "$client/large" && has 80 "$client/d"
}

writes() {
    echo changed >"$client/file" && mkdir "$client/new" && echo child >"$client/new/child" && ln "$client/file" "$client/new/linked" &&
        chmod 600 "$client/a/b/inner" && sync -f "$client" &&
        is changed "$merged/file" && is changed "$dir/upper/file" && is low "$dir/low/file" &&
        is child "$merged/new/child" && is changed "$merged/new/linked" && [[ $(stat -c %a "$merged/a/b/inner") == 600 ]]
}

# The client is in a directory that moves.
renames() {
    cd "$client/a/b" && mv "$client/a" "$client/new/a" && is inner inner && is deep c/deep && forget && is inner inner &&
        [[ $(ls .) == $'c\ninner' ]] && cd / && is deep "$client/new/a/b/c/deep" && is deep "$merged/new/a/b/c/deep" &&
        mv "$client/new/a" "$client/a"
}

# As somebody else does: the client has no part in it.
removes() {
    cd "$client/gone" && is file file && rm -r "$merged/gone" && forget && sleep 1.1 && ! ls . 2>"$dir/error"
    local status=$?
    cd / || return
    ((status == 0)) && grep -i stale "$dir/error" && ! [[ -e $merged/gone ]]
}

lists() {
    rm "$client"/d/name.1? && has 70 "$client/d" && has 70 "$merged/d" && rm -r "$client/d" && ! [[ -e $merged/d ]]
}

# hold: keeps a file and a directory, which the server is to find again by their handles.
hold() {
    exec {held}<"$client/a/b/inner" && cd "$client/a/b/c" || return
}

still_holds() {
    is inner "/proc/self/fd/$held" && is deep deep && echo more >>deep && is $'deep\nmore' "$merged/a/b/c/deep"
}

caches_go() {
    hold && forget && still_holds
    local status=$?
    cd / && exec {held}<&-
    return $status
}

# A running server may keep what it lets go of for half a minute more, a stopped one does not.
lets_go() {
    nfs_server_stop && nfs_server_wait umount "$merged"
}

server_goes() {
    hold && lets_go && serve && is inner "/proc/self/fd/$held" && echo even >>deep && [[ $(tail -n 1 "$merged/a/b/c/deep") == even ]]
    local status=$?
    cd / && exec {held}<&-
    return $status
}

make_lower
for version in 3 4.2; do
    mkdir "$dir"/{upper,work}
    ok "NFS $version: a mount is served" serve || give_up
    nfs_mount "$version" "$merged" "$client" >"$ktap_log" 2>&1
    result $? "NFS $version: it is mounted" || { sed 's/^/# /' "$ktap_log"; give_up; }
    ok "NFS $version: files, links and a large directory are read" reads
    ok "NFS $version: what is written is copied up" writes
    ok "NFS $version: a directory moves, and who is in it stays there" renames
    ok "NFS $version: what the server removed is stale" removes
    ok "NFS $version: names are removed while they are listed" lists
    ok "NFS $version: the server finds files again that it had forgotten" caches_go
    ok "NFS $version: and after it was started again, with a new mount" server_goes
    umount "$client"
    ok "NFS $version: a server that stops lets go of the mount" lets_go || give_up
    rm -rf "$dir"/{upper,work}
done
finish
