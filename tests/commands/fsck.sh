#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `shale fsck` promises: nothing is found in what Shale and the kernel's overlayfs leave behind; each fault is found,
# with class, rule and exit status; what is repairable is repaired, so that both mount it and show what the layers say;
# killed at any step, the next run comes to the same. Runs in the guest, as root, with the module loaded; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")
# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
# shellcheck source=tests/commands/lib/layout.sh
source "$tests/commands/lib/layout.sh"
# shellcheck disable=SC2154 # made by said.sh
here=$scratch
types=("$module")
if [[ $module != overlay ]] && { modprobe -q overlay || grep -qw overlay /proc/filesystems; }; then
    types+=(overlay)
fi

# mark [PATH NAME TEXT]...
mark() {
    /usr/bin/python3 -IBS -c 'import os, sys
for at in range(1, len(sys.argv), 3):
    path, name, text = sys.argv[at:at + 3]
    os.setxattr(path, "trusted.overlay." + name, os.fsencode(text), follow_symlinks=False)' "$@"
}
marked() { /usr/bin/python3 -IBS -c 'import os, sys; print(os.getxattr(sys.argv[1], "trusted.overlay." + sys.argv[2], follow_symlinks=False))' "$@"; }

# --- Trees as mounts leave them

make_layers() {
    umount -q m
    rm -rf a b u w
    mkdir -p a/merged a/app b/merged/deep b/moved/sub b/opaque b/gone-dir b/plain u w m
    echo one >a/merged/one; echo two >b/merged/two; echo deep >b/merged/deep/file; echo app >a/app/program
    echo moved >b/moved/sub/file; echo old >b/opaque/old; echo gone >b/gone; echo x >b/gone-dir/x
    head -c 300000 /dev/urandom >b/large; echo link >b/link1; ln b/link1 b/link2; ln b/link1 b/merged/link3
    echo pair >a/pair1; ln a/pair1 a/pair2; ln -s plain b/symlink; mkfifo b/fifo; mknod b/null c 1 3
    echo renamed >b/renamed; echo removed >b/removed1; ln b/removed1 b/removed2; echo protected >b/protected
}

# mount_as TYPE OPTIONS
mount_as() { mount -t "$1" -o "lowerdir=$here/a:$here/b,upperdir=$here/u,workdir=$here/w${2:+,$2}" none m; }

# What can't be done with some options is not done.
change() {
    echo more >>m/merged/two; echo new >m/new; mkdir -p m/fresh/deep; echo new >m/fresh/deep/file
    rm m/gone m/merged/deep/file; rm -r m/gone-dir; rm -r m/opaque; mkdir m/opaque; echo new >m/opaque/file
    mv m/moved m/elsewhere; mv m/elsewhere/sub m/plain/sub; mv m/app m/app2; mv m/renamed m/fresh/renamed
    chmod 600 m/large; chmod 640 m/fifo; chown 3:4 m/null; touch -h m/symlink; chown -h 5:6 m/symlink
    echo more >>m/link1; ln m/link2 m/link4; rm m/link1; mv m/pair1 m/fresh/pair; echo more >>m/pair2
    rm m/removed1; echo more >>m/removed2; rm m/removed2
    rm m/merged/one; echo anew >m/merged/one; mkdir m/gone-dir; chattr +i m/protected && chattr -i m/protected
    rmdir m/gone-dir; rm m/fresh/deep/file
    ls -lR m
} >/dev/null 2>&1

layers=(--upper u --work w a b)
# finds STATUS KIND... : those and nothing else but what is harmless, and that exit status
finds() {
    local wanted=$1 status
    shift
    shale fsck "${options[@]}" "${layers[@]}" >out 2>&1
    status=$?
    cat out
    ((status == wanted)) && diff <(printf '%s\n' "$@" | grep .) <(kinds_in out)
}
# What is not harmless, in what fsck has printed
kinds_in() { sed -n 's/^\(repairable\|needs you\): .* (\([a-z-]*\), rule [0-9.]*); .*/\2/p' "$1" | sort -u; }
options=()
is_clean() { finds 0; }

# --- What mounts leave is sound

# leaves TYPE OPTIONS: a clean tree, also after it was mounted twice
leaves() {
    make_layers
    mount_as "$1" "$2" || { skip "$1: what a mount with $2 leaves is clean" "it can't be mounted so"; return; }
    change
    umount m
    ok "$1: what a mount with ${2:-no options} leaves is clean" is_clean
    mount_as "$1" "$2" || { result 1 "$1: mounts again with $2"; return; }
    echo more >>m/fresh/renamed; rm -f m/large; ls -lR m >/dev/null 2>&1
    ok "$1: so it is while mounted, with ${2:-no options}" shale fsck m
    umount m
    ok "$1: and after a second mount, with ${2:-no options}" is_clean
}

try_type() {
    local type=$1 set
    local sets=("" "redirect_dir=on,metacopy=on" "index=on,nfs_export=on,redirect_dir=on")
    [[ $type == overlay ]] || sets+=("index=on,redirect_dir=on" "index=on,redirect_dir=on,metacopy=on"
        "xino=on,redirect_dir=on" "redirect_dir=off,metacopy=off")
    for set in "${sets[@]}"; do
        leaves "$type" "$set"
    done
    options=(--userxattr)
    leaves "$type" userxattr
    options=()
}

# --- Faults

# A tree with copies of all kinds, an index, and nothing wrong.
sound() {
    make_layers
    mount_as "$module" index=on,redirect_dir=on,metacopy=on || return
    change
    umount m
    [[ $(shale fsck "${layers[@]}" | tail -n 1) == *clean* ]]
}

# mounts_well: both mount it with what its marks need, and show what the layers say
mounts_well() {
    local type
    for type in "${types[@]}"; do
        mount_as "$type" index=on,redirect_dir=on,metacopy=on || return
        shale verify m || return
        ls -lR m >/dev/null || return
        echo more >>m/merged/two && rm m/new && echo new >m/new || return
        umount m || return
    done
}

# found_with KIND CLASS RULE
found_with() {
    shale fsck --verbose "${layers[@]}" >out
    (($? == ${4-4})) || { cat out; return 1; }
    cat out
    grep -q "^$2: .* ($1, rule ${3//./\\.}); " out
}

status_is() {
    local wanted=$1 status
    shift
    "$@"
    status=$?
    echo "exit status $status"
    ((status == wanted))
}

# repairs SEED... -- KIND RULE...: those faults, seeded into a sound tree
repairs() {
    local seed=() what
    while [[ $1 != -- ]]; do seed+=("$1"); shift; done
    shift
    what=$1
    sound || { result 1 "$what: a sound tree to begin with"; return; }
    "${seed[@]}" || { result 1 "$what: seeded"; return; }
    while (($#)); do
        ok "$1 is found, as rule $2" found_with "$1" repairable "$2"
        shift 2
    done
    ok "$what: repaired" status_is 1 shale fsck --repair "${layers[@]}"
    ok "$what: nothing is found any more, nor repaired" status_is 0 shale fsck --repair "${layers[@]}"
    ok "$what: then it is mounted, and shows what the layers say" mounts_well
    umount -q m
}

# needs KIND RULE SEED...: left as it is
needs() {
    local kind=$1 rule=$2
    shift 2
    sound || { result 1 "$kind: a sound tree to begin with"; return; }
    "$@" || { result 1 "$kind: seeded"; return; }
    ok "$kind is found, as rule $rule" found_with "$kind" "needs you" "$rule"
    dump >before
    ok "$kind is not repaired" status_is 4 shale fsck --repair "${layers[@]}"
    dump >after
    ok "$kind: nothing was changed" diff before after
}

# The entry of the index that is the file PATH, or the first that find(1) calls so
entry() { find w/index -samefile "$1" | head -n 1; }
other_lower() {
    umount -q m
    mv a c; mkdir a; cp -a c/. a/
}
no_impure() { /usr/bin/python3 -IBS -c 'import os; os.removexattr("u/merged", "trusted.overlay.impure")'; }
leftovers() { echo part >w/work/#17; mkdir w/work/#18; mknod w/work/#18/w c 0 0; }
stale_entry() {
    # What it was copied from is removed from the lower layer; the copy has another name in the upper.
    rm -f b/link1 b/link2 b/merged/link3
}
last_copy() { rm -f u/link1 u/link2 u/link4 u/merged/link3; rm -f b/link1 b/link2 b/merged/link3; }
orphan() { last=$(entry u/link4); rm u/link4; rm -f u/link2 u/merged/link3; for name in link2 merged/link3; do mknod "u/$name" c 0 0; done; mark "$last" nlink U-1; }
# Of a directory of a lower layer: a well-formed name, and no mark that leads anywhere.
stale_directory() { mkdir "w/index/$(/usr/bin/python3 -IBS -c 'import os; print(os.getxattr("u/merged", "trusted.overlay.origin").hex())')"; }

# dump: what upper and work directory hold, marks and all but what a mount makes anew
dump() {
    /usr/bin/python3 -IBS - <<'PYTHON'
import os, stat
for top in ("u", "w"):
    for path, names, files in os.walk(top):
        names.sort()
        for name in [""] + sorted(names + files):
            if name == "fsck.journal":
                continue
            full = os.path.join(path, name)
            st = os.lstat(full)
            marks = {n: os.getxattr(full, n, follow_symlinks=False) for n in sorted(os.listxattr(full, follow_symlinks=False))}
            print(full, oct(st.st_mode), "" if stat.S_ISDIR(st.st_mode) else (st.st_nlink, st.st_size), marks)
PYTHON
}

# --- Killed

many_faults() {
    rm -rf a b u w
    mkdir -p a b/d u/d u/e w/work/incompat/volatile
    : >w/work/incompat/volatile/dirty
    leftovers
    echo f >u/f; echo g >u/d/g; echo f >b/f
    mark u/d opaque z u/e impure z u/f origin rubbish u/d/g protattr '?' u uuid short u/d/g opaque y
}

# killed_at CALL NUMBER: before that call of the kernel that changes something, or puts a line of the journal on the disk
killed_at() {
    many_faults
    strace -qq -o trace -e trace="$1" -e inject="$1":signal=KILL:when="$2" \
        shale fsck --repair --accept-volatile "${layers[@]}" >out 2>&1
}

ends_the_same_when_killed() {
    local call number status kills=0
    many_faults
    status_is 1 shale fsck --repair --accept-volatile "${layers[@]}" || return
    dump >expected
    for call in lsetxattr lremovexattr unlinkat fsync; do
        for ((number = 1; ; number++)); do
            killed_at $call $number 2>/dev/null
            status=$?
            ((status == 137)) || break
            kills=$((kills + 1))
            shale fsck --repair --accept-volatile "${layers[@]}" >out 2>&1
            (($? <= 1)) || { cat out; return 1; }
            dump >got
            diff expected got || { echo "killed at $call $number"; return 1; }
        done
        ((status == 1)) || { cat out; return 1; }
    done
    echo "killed $kills times"
    ((kills > 20))
}

echo "TAP version 13"
mkdir -p m m2
for type in "${types[@]}"; do
    try_type "$type"
done

copy_without_origin() { mark "$(entry u/link4)" origin rubbish; }
forged_marks() {
    mark u/fresh opaque never u/fresh metacopy '' u/fresh impure no u uuid short u/new opaque y u/new redirect /../x \
        u/new origin rubbish u/new impure y u/new protattr '?' u/new uuid 1234567890123456 u/symlink protattr i
    no_impure
}
repairs forged_marks -- opaque-invalid 3.3 opaque-misplaced 3.3 redirect-invalid-unused 4.4 metacopy-misplaced 5.1 \
    origin-malformed 12.3 impure-missing 12.3 impure-invalid 12.3 impure-misplaced 12.3 protattr-malformed 12.6 \
    protattr-misplaced 12.6 uuid-malformed 12.8 uuid-misplaced 12.8
repairs leftovers -- work-leftover 12.4
repairs mark u/link4 nlink many -- nlink-malformed 8.2
repairs mark u/link4 nlink U-2 -- nlink-low 8.2
repairs copy_without_origin -- index-origin 12.5
repairs orphan -- index-orphan 12.5
repairs stale_entry -- index-stale 12.5
repairs stale_directory -- index-directory-stale 12.5

needs redirect-invalid 4.4 mark u/elsewhere redirect ..
needs redirect-dangling 4.2 mark u/elsewhere redirect /nowhere
needs metacopy-malformed 5.5 mark u/large metacopy '???'
needs metacopy-no-data 5.4 rm b/large
needs index-last-copy 12.5 last_copy
needs index-foreign 12.5 touch w/index/mine
needs work-foreign 12.4 touch w/work/mine
needs index-other-lowers 12.5 other_lower
needs incompat-unknown 12.7 mkdir -p w/work/incompat/novelty

# --- A mount that syncs nothing, and was cut off
for type in "${types[@]}"; do
    word=volatile
    [[ $type == overlay ]] || word=fsync=volatile
    make_layers
    mount_as "$type" "$word" && echo more >>m/merged/two
    ok "$type: a volatile mount is no fault while it is mounted" shale fsck m
    umount m
    # A clean unmount by Shale takes the mark away; after a crash it is there.
    mkdir -p w/work/incompat/volatile; : >w/work/incompat/volatile/dirty
    ok "$type: what a volatile mount has left is found" found_with volatile "needs you" 12.7
    ok "$type: is left" status_is 4 shale fsck --repair "${layers[@]}"
    ok "$type: and accepted, when told so" status_is 1 shale fsck --repair --accept-volatile "${layers[@]}"
    ok "$type: then it is clean" is_clean
    ok "$type: and mounts" mount_as "$type" ""
    umount m
done

# --- In use
for type in "${types[@]}"; do
    sound
    mount_as "$type" index=on,redirect_dir=on,metacopy=on
    mark u/fresh opaque never
    ok "$type: layers in use are not repaired" refuses 8 "in use|unmount|" shale fsck --repair "${layers[@]}"
    ok "$type: nor however they are called" refuses 8 "in use|" shale fsck --repair --upper ./u/ --work w/. a b
    ok "$type: nor by the name of the mount" refuses 8 "in use|" shale fsck --repair m
    ok "$type: nor through another path" sh -c "ln -sfn '$here' /tmp/fsck-link; cd /; shale fsck -y --upper /tmp/fsck-link/u --journal /tmp/j '$here/a'; [ \$? = 8 ]"
    ok "$type: but looked through" status_is 4 shale fsck m
    ok "$type: by their names, too" status_is 4 shale fsck "${layers[@]}"
    ok "$type: nothing was changed" test "$(marked u/fresh opaque)" = "b'never'"
    umount m
done
ok "unmounted, they are repaired" status_is 1 shale fsck -p "${layers[@]}"
ok "the journal tells what there was before" grep -q '"action":"remove-mark".*"attribute":"trusted.overlay.opaque".*"before":"6e65766572"' w/fsck.journal

# --- Killed at each step
if command -v strace >/dev/null; then
    ok "killed at any step, the next run comes to the same" ends_the_same_when_killed
    ok "that is mounted" mount_as "$module" ""
    umount -q m
else
    skip "killed at any step, the next run comes to the same" "strace is not installed"
fi

# --- How it is called
make_layers
mark a/app opaque never
ok "a lower layer is not repaired" status_is 4 shale fsck --repair "${layers[@]}"
ok "which is said" grep -q "name this layer first" <(shale fsck "${layers[@]}")
ok "it is, when named first" status_is 1 shale fsck --repair --journal journal a b
ok "a single layer is looked at by itself" says "clean|" shale fsck b
ok "its repair wants a journal" refuses 8 "--journal|" shale fsck --repair a
ok "layers within each other are refused" refuses 8 "lies within|" shale fsck a a/app
ok "what is not there is refused" refuses 8 "none: |" shale fsck none
ok "wrong usage is 16" status_is 16 shale fsck --no-such-option a
ok "so is no layer" status_is 16 shale fsck
ok "other commands keep theirs" status_is 2 shale verify
ok "whoever is not root is refused" refuses 8 "sudo|" setpriv --reuid 65534 --clear-groups "$(command -v shale)" fsck a
mkdir image; make_image image >/dev/null
export SHALE_ROOT=$here/store
ok "a layer of the store is made" sh -c 'shale image import image:one --name one && shale snapshot prepare web one'
ok "it is looked through by its name" says "clean|" shale fsck web
mark store/snapshots/web/upper opaque never
told_to_programs() {
    shale fsck --json web >told
    (($? == 4)) || return
    shows "[('opaque-invalid', 'repairable', '3.3')]" json "[(f['kind'], f['class'], f['rule']) for f in d['findings']]" cat told
}
ok "programs are told" told_to_programs
ok "and repaired" status_is 1 shale fsck --repair web
ok "and then mounted" shale mount one m --name web
ok "where it is not repaired" refuses 8 "in use|" shale fsck --repair web
ok "but looked through" says "clean|mounted|" shale fsck web
umount m

finish
