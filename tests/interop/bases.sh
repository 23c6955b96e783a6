#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bases.sh: layers on any file system. On each base the same two layers, with a whiteout and an opaque directory in the
# upper one of them, must show the tree that was written down beforehand, and live through the same changes as with
# in-tree overlayfs (lib/base_life.py says which). Uppers lie on all that can hold one; what cannot is refused, with a
# message and without doing harm. A line in the kernel log names what a base lacks.
#
# Servers of remote layers change them, or die, behind our back.
#
# Wants root and /scratch. Prints KTAP; a base that the kernel, or this machine, has not got is skipped with the reason.
# SHALE_BASES names those to be run (default: all).

set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/ktap.sh
source "$here/../ktap.sh"
# shellcheck source=tests/interop/lib/nfs-server.sh
source "$here/lib/nfs-server.sh"
# shellcheck source=tests/interop/lib/oracle.sh
source "$here/lib/oracle.sh"

shale=${SHALE_TYPE:-shale}
oracle=overlay
features=redirect_dir=on,metacopy=on

echo "KTAP version 1"
if ! scratch=$(mktemp -d /scratch/bases.XXXXXX); then
    echo "1..0 # SKIP cannot write to /scratch"
    exit 0
fi
chmod 711 "$scratch"  # one test is another user
ktap_log=$scratch/log
at=$scratch/merged
mkdir "$at"
mounted=()  # what is to be unmounted, in this order
servers=()  # process ids

has_oracle=yes
[[ ${SHALE_MODULE:-shale} != "$oracle" ]] && modprobe -q "$oracle" && ! overlayfs_is_old || has_oracle=

# --- Helpers ---------------------------------------------------------------------------------------------------------

# Without what a start of Python commonly looks for.
life() {
    /usr/bin/python3 -IBS "$here/lib/base_life.py" "$@"
}

has_fs() {
    modprobe -q "$1"
    grep -qw "$1" /proc/filesystems
}

# On a loop device, too.
has_image_fs() {
    has_fs "$1" && modprobe -q loop
}

# has_name DIR NAME: reading the directory gives it.
has_name() {
    find "$1" -maxdepth 1 -name "$2" | grep -q .
}

# mount_base DIR ARGUMENT...: mount(8), undone by forget_base.
mount_base() {
    local dir=$1
    shift
    mkdir -p "$dir" && mount "$@" "$dir" && mounted=("$dir" "${mounted[@]}")
}

forget_base() {
    umount -q "$at" 2>/dev/null
    local dir
    for dir in "${mounted[@]}"; do
        umount "$dir" 2>/dev/null || umount -l "$dir"
    done
    ((${#servers[@]})) && kill -KILL "${servers[@]}" 2>/dev/null && wait "${servers[@]}" 2>/dev/null
    mounted=() servers=()
}

clean_up() {
    forget_base
    ((${#nfs_server_pids[@]})) && nfs_server_stop
    rm -rf --one-file-system "$scratch"
}
trap clean_up EXIT

# A mark in the kernel log, and what came after it.
log_begin() {
    log_mark="bases: $RANDOM$RANDOM $*"
    echo "$log_mark" >/dev/kmsg
}

log_since() {
    dmesg | sed "1,/$log_mark/d" | grep 'shale: \|overlay: '
}

# says COUNT PATTERN: so many lines of the kernel log since log_begin match.
says() {
    local count
    count=$(log_since | grep -cE "$2")
    [[ $count == "$1" ]] && return
    echo "$count lines, not $1, say '$2':"
    log_since
    return 1
}

# refused ERROR MESSAGE OPTIONS: mount(2) fails with this error, and says so.
refused() {
    /usr/bin/python3 -IBS - "$shale" "$at" "$@" <<'PYTHON'
import ctypes, errno, os, sys

kind, target, error, message, options = sys.argv[1:6]
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.syscall(430, kind.encode(), 0)    # fsopen
failed, said = 0, ""
for option in options.split(",") + [None]:
    key, _, value = (option or "").partition("=")
    command = 6 if not option else 1 if "=" in option else 0    # create, a string, a flag
    if libc.syscall(431, fd, command, key.encode() or None, value.encode() if command == 1 else None, 0) < 0:
        failed = ctypes.get_errno()
        break
while True:
    try:
        said += os.read(fd, 4096).decode()
    except OSError:
        break
print("error", errno.errorcode.get(failed, failed), "and:", said)
sys.exit(not (failed and errno.errorcode[failed] == error and message in said))
PYTHON
}

same() {
    diff -U 0 "$1" "$2"
}

# same_tree ONE OTHER: overlayfs may give the names of one file two numbers, where it has no file handles.
same_tree() {
    diff -U 0 <(sed 's/ same-as=[^ ]*//' "$1") <(sed 's/ same-as=[^ ]*//' "$2")
}

# contained ONE OTHER: each line of one sorted file is also in the other.
contained() {
    local lines
    lines=$(comm -23 "$1" "$2") && [[ -z $lines ]] && return
    echo "$lines"
    return 1
}

# stay IDENTITY: but readdir(3) does not look up directories of several file systems, whose numbers are made up.
stay() {
    ! grep -v readdir "$1"
}

# --- One base --------------------------------------------------------------------------------------------------------

# live TYPE NAME [judge]: the whole life of a mount of $top and $low, the upper on $upper_base.
live() {
    local dir=$upper_base/$2.$1
    mkdir "$dir" "$dir"/{upper,work} && touch -r "$scratch/trusted/top" "$dir/upper" &&
        life live "$1" "lowerdir=$top:$low,upperdir=$dir/upper,workdir=$dir/work,$options" "$at" "$scratch/$2.$1" "${3-}"
}

# base NAME: $top and $low lie on it, $options mount them; $expected is what they merge to.
base() {
    local name=$1
    log_begin "$name"
    ok "$name: a mount lives" live "$shale" "$name" || return
    ok "$name: the tree is what the layers merge to" same "$scratch/expected.$expected" "$scratch/$name.$shale.first"
    ok "$name: after mounting again it is what it was" same "$scratch/$name.$shale".{changed,again}
    [[ -z $stays ]] || ok "$name: numbers of inodes stay" stay "$scratch/$name.$shale.identity"
    if [[ -z $has_oracle ]]; then
        skip "$name: as with overlayfs" "no overlayfs here that could judge it"
        return
    fi
    ok "$name: a mount of overlayfs lives" live "$oracle" "$name" judge || return
    ok "$name: the tree after the changes is that of overlayfs" same_tree "$scratch/$name".{"$oracle","$shale"}.changed
    ok "$name: the changes were answered as by overlayfs" same "$scratch/$name".{"$oracle","$shale"}.answers
    ok "$name: numbers of inodes are as good as with overlayfs" contained "$scratch/$name".{"$shale","$oracle"}.identity
}

# Where numbers are kept over copying up and mounting again: where there are file handles.
upper_base=$scratch options=$features expected=trusted stays=yes

# --- Lower layers ----------------------------------------------------------------------------------------------------

make_layers() {
    local marks
    for marks in trusted user; do
        life layers "$marks" "$scratch/$marks" &&
            "$here/treedump.py" "$scratch/$marks/expected" >"$scratch/expected.$marks" || return
    done
}

plain_base() {
    top=$scratch/trusted/top low=$scratch/trusted/low
    base plain
    ok "plain: it lacks nothing" says 0 "has no "
}

# image_base TYPE PROGRAM: both layers in one image, made by `PROGRAM_image FILE`.
image_base() {
    local name=$1 program=$2 image=$scratch/$1.image dir=$scratch/$1
    command -v "$program" >/dev/null || { skip "$name" "no program $program"; return; }
    has_image_fs "$name" || { skip "$name" "this kernel has no $name, or no loop devices"; return; }
    ok "$name: an image is made" "make_$name" "$image" || return
    ok "$name: the image is mounted" mount_base "$dir" -t "$name" -o loop,ro "$image" || return
    top=$dir/top low=$dir/low
    base "$name"
}

make_squashfs() {
    mksquashfs "$scratch/trusted" "$1" -noappend -quiet -no-progress -comp gzip
}

make_erofs() {
    mkfs.erofs --quiet "$1" "$scratch/trusted" || mkfs.erofs "$1" "$scratch/trusted"
}

squashfs_base() {
    image_base squashfs mksquashfs || return
    log_begin squashfs
    ok "squashfs: without options for it, it is not found again" mount_and_unmount
    ok "squashfs: the log says so, once for both layers" says 1 "squashfs/top \(squashfs\) has no uuid of its own"
}

mount_and_unmount() {
    mount_with_upper && umount "$at"
}

erofs_base() {
    image_base erofs mkfs.erofs || return
    log_begin erofs
    ok "erofs: without options for it, it is found again" mount_and_unmount
    ok "erofs: it lacks nothing" says 0 "has no "
}

# A read-only snapshot as lower layers, a snapshot that may be written as upper.
btrfs_base() {
    local dir=$scratch/btrfs
    command -v mkfs.btrfs >/dev/null || { skip btrfs "no program mkfs.btrfs"; return; }
    has_image_fs btrfs || { skip btrfs "this kernel has no btrfs, or no loop devices"; return; }
    ok "btrfs: snapshots are made" make_snapshots "$dir" || return
    top=$dir/layers.ro/top low=$dir/layers.ro/low
    upper_base=$dir/upper base btrfs
}

make_snapshots() {
    truncate -s 300M "$scratch/btrfs.image" && mkfs.btrfs -q "$scratch/btrfs.image" &&
        mount_base "$1" -t btrfs -o loop "$scratch/btrfs.image" &&
        btrfs -q subvolume create "$1/layers" && cp -a "$scratch"/trusted/{low,top} "$1/layers" &&
        btrfs -q subvolume snapshot -r "$1/layers" "$1/layers.ro" &&
        btrfs -q subvolume create "$1/empty" && btrfs -q subvolume snapshot "$1/empty" "$1/upper"
}

fuse_base() {
    has_fs fuse || { skip fuse "this kernel has no FUSE"; return; }
    command -v bindfs >/dev/null || { skip fuse "no program bindfs"; return; }
    ok "fuse: a server serves" serve "$scratch/fuse" bindfs -f "$scratch/trusted" "$scratch/fuse" || return
    top=$scratch/fuse/top low=$scratch/fuse/low
    stays='' base fuse
    ok "fuse: the server dies, and that is told" server_dies
    forget_base
    untyped
}

# serve DIR COMMAND...: waits until the server in the foreground has mounted DIR.
serve() {
    local dir=$1 try
    mkdir -p "$dir"
    "${@:2}" >"$dir.served" 2>&1 &
    servers+=($!)
    for ((try = 0; try < 200; try++)); do
        mountpoint -q "$dir" && mounted=("$dir" "${mounted[@]}") && return
        sleep 0.1
    done
    cat "$dir.served"
    return 1
}

# fails MESSAGE COMMAND...: in good time, and says why
fails() {
    local message=$1 status
    shift
    timeout 30 "$@" >"$scratch/said" 2>&1
    status=$?
    ((status != 0 && status != 124)) && grep -qE "$message" "$scratch/said" && return
    echo "status $status, and not '$message': $*"
    cat "$scratch/said"
    return 1
}

mount_with_upper() {
    rm -rf "$scratch"/{upper,work} && mkdir "$scratch"/{upper,work} && mount -i -t "$shale" \
        -o "lowerdir=$top:$low,upperdir=$scratch/upper,workdir=$scratch/work${1:+,$1}" none "$at"
}

server_dies() {
    mount_with_upper && cat "$at/dir/plain" && echo here >"$at/mine" && kill -KILL "${servers[@]}" && wait "${servers[@]}"
    servers=()
    fails "not connected" cat "$at/merged/low" && fails "not connected" touch "$at/dir/tagged" &&
        fails "not connected" ls "$at/many" && [[ $(<"$at/mine") == here ]] && umount "$at"
}

# A server without types of names, on an image that is served by nobody's kernel.
untyped() {
    local name="fuse: no types of names" dir=$scratch/untyped
    command -v fuse2fs >/dev/null || { skip "$name" "no program fuse2fs"; return; }
    ok "fuse: another server serves" serve_fuse2fs "$dir" || return
    top=$dir/top low=$dir/low
    log_begin untyped
    ok "$name: whiteouts are hidden all the same" whiteouts_are_hidden
    ok "$name: the log says so, once" says 1 "untyped/.* \(fuse\) has no types of names"
    ok "fuse: an upper there is refused" refused EINVAL "is remote, and lacks what an upper needs: no RENAME_EXCHANGE" \
        "lowerdir=$low,upperdir=$dir/upper,workdir=$dir/work"
    forget_base
}

serve_fuse2fs() {
    mkdir -p "$scratch"/trusted/{upper,work}
    truncate -s 8M "$scratch/ext.image" && mkfs.ext4 -q -O ^has_journal -I 256 -d "$scratch/trusted" "$scratch/ext.image" &&
        serve "$1" fuse2fs -f "$scratch/ext.image" "$1"
}

whiteouts_are_hidden() {
    mount_with_upper && ls -R "$at" >"$scratch/listed" && ! grep -w hidden "$scratch/listed" && umount "$at"
}

# Marks pass it in user.* only.
nfs_base() {
    local dir=$scratch/nfs missing
    missing=$(nfs_server_missing)
    [[ -z $missing ]] || { skip nfs "${missing%%$'\n'*}"; return; }
    ok "nfs: a server serves" serve_nfs "$scratch/user" "$dir" || return
    top=$dir/top low=$dir/low
    options=userxattr expected=user stays='' base nfs
    log_begin nfs
    ok "nfs: without userxattr no mark is seen" marks_are_not_seen
    ok "nfs: the log says so, once for both layers" says 1 "nfs/top \(nfs4\) has no trusted xattrs.*; no uuid of its own"
    ok "nfs: two machines share the layers" two_machines
    nfs_server_export "$scratch/user" 7 rw # and not read-only any more
    ok "nfs: an upper there is refused" refused EINVAL "is remote, and lacks what an upper needs: " \
        "lowerdir=$low,upperdir=$dir/upper,workdir=$dir/work"
    ok "nfs: with userxattr, too" refused EINVAL "no RENAME_WHITEOUT: " \
        "userxattr,lowerdir=$low,upperdir=$dir/upper,workdir=$dir/work"
    forget_base
    nfs_mount 4.2 "$scratch/user" "$dir" ro,actimeo=0 && mounted=("$dir")
    ok "nfs: what the server changes is seen" server_changes
    ok "nfs: what the server removes is gone" server_removes
    forget_base
    ok "nfs: a server that is down" server_is_down
}

serve_nfs() {
    mkdir -p "$2" "$1"/{upper,work} && nfs_server_start && nfs_server_export "$1" 7 ro &&
        nfs_mount 4.2 "$1" "$2" && mounted=("$2" "${mounted[@]}")
}

marks_are_not_seen() {
    mount_with_upper && [[ -e $at/opaque/below && ! -e $at/dir/hidden ]] && umount "$at"
}

# What is another machine is here another client, and another mount.
two_machines() {
    local other=$scratch/other
    mkdir -p "$other"/{layers,upper,work,merged}
    nfs_mount 4.2 "$scratch/user" "$other/layers" ro,nosharecache && mount_with_upper userxattr &&
        mount -i -t "$shale" -o \
            "userxattr,lowerdir=$other/layers/top:$other/layers/low,upperdir=$other/upper,workdir=$other/work" none "$other/merged" || return
    echo one >"$at/dir/plain" && echo other >"$other/merged/dir/plain" && rm "$at/long" &&
        [[ $(<"$at/dir/plain") == one && $(<"$other/merged/dir/plain") == other && -e $other/merged/long ]]
    local status=$?
    umount "$other/merged" "$other/layers" "$at" && return $status
}

as_user=(setpriv --reuid 1000 --regid 1000 --clear-groups)

server_changes() {
    local there=$scratch/user/low
    umount -q "$at"
    mount_with_upper userxattr && ls "$at/merged" >/dev/null && ! stat "$at/merged/later" && cat "$at/merged/low" &&
        "${as_user[@]}" cat "$at/dir/plain" || return
    echo later >"$there/merged/later" && echo other >"$there/merged/new" && mv "$there/merged/new" "$there/merged/low" &&
        chmod 600 "$there/dir/plain" && truncate -s 7 "$there/many/001" || return
    [[ $(<"$at/merged/later") == later ]] && has_name "$at/merged" later && [[ $(<"$at/merged/low") == other ]] &&
        [[ $(stat -c %a "$at/dir/plain") == 600 ]] && fails "Permission denied" "${as_user[@]}" cat "$at/dir/plain" &&
        [[ $(stat -c %s "$at/many/001") == 7 ]]
}

# What is open may be stale; nothing else may be said, and nothing of other files.
server_removes() {
    local there=$scratch/user/low fd said
    exec {fd}<"$at/many/002"
    cd "$at/moves" || return
    ls "$at/many" >"$scratch/listed"
    rm "$there/many/002" "$there/many/003" && rm -r "$there/moves"
    ! stat "$at/many/002" && ! has_name "$at/many" "00[23]" && fails "No such file" chmod 600 "$at/many/003" || return
    said=$(cat <&$fd 2>&1)
    exec {fd}<&-
    [[ $said == 2 || $said == *"Stale file handle" ]] || return
    said=$(ls . 2>&1)
    [[ -z $said || $said == *"Stale file handle" || $said == *"No such file"* ]] || return
    fails "Stale file handle|No such file" touch new
    cd / && ! stat "$at/moves" && mkdir "$at/moves" && echo mine >"$at/moves/along" && umount "$at"
}

# It is told in the end, and nobody who does not ask for its files waits.
server_is_down() {
    local dir=$scratch/nfs
    nfs_mount 3 "$scratch/user" "$dir" ro,timeo=5,retrans=1,actimeo=0 && mounted=("$dir" "${mounted[@]}") &&
        mount_with_upper userxattr && cat "$at/long" >/dev/null && echo here >"$at/mine" || return
    rpc.nfsd 0
    fails "Input/output error|timed out|Connection refused" cat "$at/merged/low" && [[ $(<"$at/mine") == here ]] && umount "$at"
}

# --- Uppers ----------------------------------------------------------------------------------------------------------

upper_base() {
    local type dir
    for type in xfs tmpfs; do
        dir=$scratch/$type
        command -v "mkfs.$type" >/dev/null || [[ $type == tmpfs ]] || { skip "upper on $type" "no program mkfs.$type"; continue; }
        has_image_fs "$type" || { skip "upper on $type" "this kernel has no $type, or no loop devices"; continue; }
        ok "upper on $type: it is mounted" "mount_$type" "$dir" || continue
        top=$scratch/trusted/top low=$scratch/trusted/low
        upper_base=$dir base "upper on $type"
        forget_base
    done
    no_upper vfat "own way to compare names"
    no_upper squashfs "read-only"
}

mount_xfs() {
    truncate -s 300M "$scratch/xfs.image" && mkfs.xfs -q "$scratch/xfs.image" &&
        mount_base "$1" -t xfs -o loop "$scratch/xfs.image"
}

mount_tmpfs() {
    mount_base "$1" -t tmpfs tmpfs
}

# no_upper TYPE MESSAGE
no_upper() {
    local dir=$scratch/$1
    command -v "mkfs.$1" >/dev/null || command -v "mk$1" >/dev/null || { skip "upper on $1" "no program to make it"; return; }
    has_image_fs "$1" || { skip "upper on $1" "this kernel has no $1, or no loop devices"; return; }
    ok "upper on $1: it is mounted" "mount_$1" "$dir" || return
    ok "upper on $1: refused" refused EINVAL "$2" "lowerdir=$scratch/trusted/low,upperdir=$dir/upper,workdir=$dir/work"
    forget_base
}

mount_vfat() {
    truncate -s 8M "$scratch/vfat.image" && mkfs.vfat "$scratch/vfat.image" >/dev/null &&
        mount_base "$1" -t vfat -o loop "$scratch/vfat.image" && mkdir "$1"/{upper,work}
}

mount_squashfs() {
    mkdir -p "$scratch"/trusted/{upper,work} && make_squashfs "$scratch/upper.image" &&
        mount_base "$1" -t squashfs -o loop,ro "$scratch/upper.image"
}

# --- Names without case ------------------------------------------------------------------------------------------------

casefold_base() {
    local dir=$scratch/casefold
    mkdir -p "$dir"
    log_begin casefold
    ok "casefold: a file system that may ignore case" make_casefolded "$dir" || return
    ok "casefold: names of all layers are one, whatever their case" folds "$shale" "$dir" || return
    ok "casefold: as expected" as_written "$scratch/$shale.folded"
    ok "casefold: not together with layers that mind it" refused EINVAL "minds the case of names, and other layers do not" \
        "lowerdir=$dir/low:$dir/plain"
    ok "casefold: nor the other way round" refused EINVAL "ignores the case of names, and other layers do not" \
        "lowerdir=$dir/plain:$dir/low"
    ok "casefold: nor with such a directory within" not_mixed "$dir"
    ok "casefold: layers that mind case on such a file system" minds "$dir"
    if ! has_casefolding_oracle; then
        skip "casefold: as with overlayfs" "overlayfs before 6.18 refuses such layers"
        return
    fi
    ok "casefold: a mount of overlayfs lives" folds "$oracle" "$dir" judge || return
    ok "casefold: but for removing names, as with overlayfs" as_judged
}

make_casefolded() {
    truncate -s 64M "$scratch/casefold.image" && mkfs.ext4 -q -O casefold "$scratch/casefold.image" &&
        modprobe -q loop && mount_base "$1" -t ext4 -o loop "$scratch/casefold.image" &&
        mkdir "$1"/{low,top,plain,other} "$1"/{"$shale","$oracle"}.{upper,work} &&
        chattr +F "$1"/{low,top,other} "$1"/{"$shale","$oracle"}.{upper,work} && life fold_layers "$1"
}

as_written() {
    diff -u - "$1" <<<"$folded$folded_removals"
}

as_judged() {
    diff -u "$scratch/$oracle.folded" - <<<"${folded%$'\n'}"
}

folds() {
    life folds "$1" "lowerdir=$2/top:$2/low,upperdir=$2/$1.upper,workdir=$2/$1.work,$features" "$at" "$scratch/$1" "${3-}"
}

has_casefolding_oracle() {
    [[ -n $has_oracle && $(printf '%s\n' 6.18 "$(uname -r)" | sort -V | head -n 1) == 6.18 ]]
}

not_mixed() {
    mkdir -p "$1/mixed/dir" && chattr +F "$1/mixed/dir" &&
        mount -i -t "$shale" -o "ro,lowerdir=$1/mixed:$1/plain" none "$at" || return
    ! ls "$at/dir" 2>"$scratch/said" && grep "Object is remote" "$scratch/said"
    local status=$?
    umount "$at" && return $status
}

minds() {
    echo lower >"$1/plain/name"
    mount -i -t "$shale" -o "ro,lowerdir=$1/plain" none "$at" && [[ -e $at/name && ! -e $at/NAME ]] && umount "$at"
}

folded="the root: ['Empty', 'Gr\\\\xc3\\\\xbcn', 'dir']
a directory of both: ['FILE', 'Other']
a file of both: b'top'
a file of the lower: b'other'
letters beyond ASCII: b'green'
what is hidden: ENOENT
write to the lower: None
read that: b'other and more'
ask for what is not there: False
then make it: None
and find it: b'made'
make a directory: None
it folds, too: b'1'
move: None
link: None
move a directory: None
look into it: b'other and more'
its old name: False

the root: ['Elsewhere', 'Empty', 'Gr\\\\xc3\\\\xbcn', 'Link', 'New']
what was moved: ['file', 'other']
what was made: ['Moved', 'One']
content: b'other and more'

"
folded_removals="remove a file: None
it is gone: False
make it again: None
once only: EEXIST
read what is new: b'new'
remove a lower file: None
remove an empty directory: None
make it under another name: None
it is empty: []

the root: ['elsewhere', 'empty', 'link', 'new']
what was made again: b'new'
what was removed: False
"

# ----------------------------------------------------------------------------------------------------------------------

ok "the layers are made" make_layers || give_up
for name in ${SHALE_BASES:-plain squashfs erofs btrfs upper fuse nfs casefold}; do
    "${name}_base"
    forget_base
    echo "# $SECONDS s"
done
finish
