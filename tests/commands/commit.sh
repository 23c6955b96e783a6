#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Writable layers that become layers of images: an image with everything in it is changed on a mount in each way there is,
# committed, and what comes of it compared with what the mount showed. Runs in the guest, as root; speaks KTAP.

# shellcheck disable=SC2016 # what the inner shells expand

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")

# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
# shellcheck source=tests/commands/lib/layout.sh
source "$tests/commands/lib/layout.sh"

mkdir m m2
export SHALE_ROOT=$scratch/store

# shellcheck source=tests/commands/lib/everything.sh
source "$tests/commands/lib/everything.sh"

layer_of() { field "$1" 'i["layers"][-1]["diff_id"] + i["layers"][-1]["blob"]'; }
manifest_of() { field "$1" 'i["manifest"]'; }
same() { [[ $("${@:3}" "$1") == "$("${@:3}" "$2")" ]]; }
is_at_rest() { is_empty store/staging; }
# state: what the store knows and has
state() {
    shale image ls --json
    ls store/layers store/blobs/sha256 store/staging
}

fill_base || give_up
make_layout base layout || give_up

echo "TAP version 13"
ok "an image with everything in it comes in" shale image import layout:base
ok "prepare: makes a writable layer" says "prepared s on base|" shale snapshot prepare s base
ok "prepare: a name that is taken is refused" refuses 1 "'s'|exists already|" shale snapshot prepare s base
ok "prepare: an unknown image is named" refuses 1 "nosuch|image ls|" shale snapshot prepare t nosuch
ok "prepare: is not mounted" shows "[['s', 'base', False]]" json "[[s['name'], s['image'], s['mounted']] for s in d]" shale snapshot ls --json
ok "commit: of no change is an image that shows the same" sh -c 'shale snapshot commit s nothing'
shale mount base m --name s >/dev/null || give_up
dump m >as-base
ok "commit: and it does" shows_the_same nothing as-base
ok "it is changed in each way there is" change_everything
dump m >expected

ok "commit: what is mounted, with a note of the socket" shale snapshot commit s live --author "A. Author" --message "all of it"
shale snapshot commit s live2 2>said >/dev/null
ok "commit: the note names it" grep -q "warning: /socket: left out" said
ok "commit: leaves nothing in the staging directory" is_at_rest
ok "commit: the new image shows what the mount did" shows_the_same live expected
ok "commit: the config tells who, what and how" shows "A. Author|A. Author|all of it|shale snapshot commit|['/bin/sh']|2" \
    json "'|'.join(str(x) for x in [d['config']['author'], d['config']['history'][-1]['author'], d['config']['history'][-1]['comment'], d['config']['history'][-1]['created_by'], d['config']['config']['Cmd'], len(d['config']['history'])])" \
    shale image inspect live
ok "commit: the layer has no marks but opaque ones" sh -c '! getfattr -R -h -m "^trusted.overlay" -d "$(shale image ls --json |
    /usr/bin/python3 -IBS -c "import json, sys; print([i for i in json.load(sys.stdin) if i[\"name\"] == \"live\"][0][\"layers\"][-1][\"path\"])")" | grep trusted.overlay | grep -v opaque'
dump m >after
ok "commit: the mount is as it was" diff -u expected after
shale umount m >/dev/null

ok "commit: what is not mounted" shale snapshot commit s one
ok "commit: is the same layer" same live one layer_of
ok "commit: and again" shale snapshot commit s two
ok "commit: is the same layer again" same one two layer_of
ok "commit: zstd is the same tree" sh -c 'shale snapshot commit s zstd --compression zstd'
ok "commit: in the same tar" shows "$(field one 'i["layers"][-1]["diff_id"]')" field zstd 'i["layers"][-1]["diff_id"]'
ok "commit: with SOURCE_DATE_EPOCH, the same image" sh -c 'SOURCE_DATE_EPOCH=1000000000 shale snapshot commit s epoch &&
    sleep 1.1 && SOURCE_DATE_EPOCH=1000000000 shale snapshot commit s epoch2'
ok "commit: digest for digest" same epoch epoch2 manifest_of
ok "commit: nothing in it is later" sh -c 'shale mount epoch m --read-only && ! find m -newermt @1000000001 -path "m/new*" | grep . ; s=$?; shale umount m; exit $s'
ok "commit: an epoch that is none is refused" refuses 1 "SOURCE_DATE_EPOCH|" env SOURCE_DATE_EPOCH=today shale snapshot commit s nope

# --- A terabyte, of which six bytes are not zero
shale mount base m --name terabyte >/dev/null || give_up
truncate -s 1T m/huge && printf begin | dd of=m/huge conv=notrunc status=none
printf end | dd of=m/huge bs=1M seek=1048575 conv=notrunc status=none
shale umount m >/dev/null
ok "terabyte: is committed" shale snapshot commit terabyte huge
ok "terabyte: takes no room" shows "True" field huge 'i["layers"][-1]["size"] < 200000'
shale mount huge m --read-only >/dev/null
ok "terabyte: is there" shows "$((1 << 40)) beg end" sh -c 'echo $(stat -c %s m/huge) $(head -c 3 m/huge) $(dd if=m/huge bs=1M skip=1048575 count=1 status=none | head -c 3)'
ok "terabyte: nor does it in the layer" sh -c 'test "$(stat -c %b m/huge)" -lt 1000'
shale umount m >/dev/null

# --- With an index, a file that was changed under one name has changed under those that only the image has
shale mount base m --name indexed -o index=on >/dev/null || give_up
echo changed >>m/links/a && echo changed >>m/links/c && mv m/moved m/moved-away && rm m/links/c
dump m >expected.index
ok "index: a mounted one is committed" shale snapshot commit indexed index-live
shale umount m >/dev/null
ok "index: shows what the mount did" shows_the_same index-live expected.index
ok "index: and one that is not mounted" shale snapshot commit indexed index-still
ok "index: is the same layer" same index-live index-still layer_of
ok "index: leaves the writable layer as it is" sh -c 'test ! -e store/snapshots/indexed/upper/links/b'

# --- The layer by itself
ok "diff: lists the changes" says "A /new|C /etc/name|D /gone|" shale snapshot diff s
ok "diff: --json" shows "['D']" json "[c['kind'] for c in d if c['path'] == '/gone']" shale snapshot diff s --json
ok "diff: --tar is the layer" shows "$(field one 'i["layers"][-1]["diff_id"]')" sh -c 'shale snapshot diff s --tar - | sha256sum | sed "s/^\([0-9a-f]*\).*/sha256:\1/"'
ok "diff: --tar to a file" sh -c 'shale snapshot diff s --tar s.tar && shale snapshot diff s --tar - | cmp - s.tar'
ok "diff: --tar leaves what is there alone" refuses 1 "s.tar|exists|" shale snapshot diff s --tar s.tar
ok "diff: the tar is small, whatever holes are in it" sh -c 'test "$(stat -c %s s.tar)" -lt 20000000'
tar -tf s.tar >members 2>/dev/null
ok "diff: whiteouts, opaque, and no renamed directory's redirect" \
    sh -c 'grep -qx .wh.gone members && grep -qx opaque/.wh..wh..opq members && grep -qx .wh.moved members && grep -qx moved-away/deep/file members'
ok "diff: nothing that was not changed" sh -c '! grep -q "^acl.d\|^merged/lower\|^sparse\|^quiet/file" members'
ok "diff: in the order of the names, the directories first, and links to what was moved at the end" sh -c 'tail -n 1 members | grep -qx links/c && sed -i "\$d" members && grep -v "^./$" members | sed -E "s,(^|/)\.wh\.,\1,; s,/$,," | tr / "\001" >order && LC_ALL=C sort order | cmp - order'

ok "usage: bytes and inodes" shows "True" json "d[0]['name'] == 's' and d[0]['size'] > 30000 and d[0]['inodes'] > 20" shale snapshot usage s --json
ok "usage: an unknown one is named" refuses 1 "nosuch|snapshot ls|" shale snapshot usage nosuch
ok "mounts: the layers and a mount of them" shows "True" json \
    "d['upper'].endswith('snapshots/s/upper') and len(d['lowers']) == 1 and d['mounts'][0]['type'] == 'shale' and 'redirect_dir=on' in d['mounts'][1]['options']" \
    shale snapshot mounts s --json
ok "mounts: a command that works" sh -c "$(shale snapshot mounts s | sed -n "s/^mount -t shale /mount -t $module /p" | sed 's/ DIR$/ m/')"
dump m >by-hand
ok "mounts: of the same tree" diff -u expected by-hand
umount m

# --- Other programs
if command -v umoci >/dev/null; then
    ok "umoci: takes the image" sh -c 'shale image export one for-umoci --tag t && umoci unpack --image for-umoci:t bundle'
    # It writes holes out. And links/b is alone since links/a was copied up, though the lower file has two names.
    comparable() { sed -e 's/ sparse$//' -e '/^\/links\/b /s/ nlink=.*//' "$@"; }
    unpacks_the_same() { diff -u <(comparable expected) <(dump bundle/rootfs | comparable); }
    ok "umoci: unpacks what the mount showed" unpacks_the_same
else
    skip "umoci: unpacks the image" "it is not installed"
fi
if command -v skopeo >/dev/null; then
    export TMPDIR=$scratch
    ok "skopeo: takes the image" sh -c 'shale image export one out-one --tag t && skopeo copy -q --preserve-digests oci:out-one:t oci:copied:t && diff -r out-one/blobs copied/blobs'
else
    skip "skopeo: takes the image" "it is not installed"
fi

# --- What is refused
state >before
ok "refused: an unknown snapshot" refuses 1 "nosuch|snapshot ls|" shale snapshot commit nosuch other
ok "refused: a name that is none" refuses 1 "a b|" shale snapshot commit s "a b"
ok "refused: the name of an image that carries a snapshot" refuses 1 "'base'|writable layer|another name|" shale snapshot commit s base
ok "refused: userxattr, which hides the marks of an image" refuses 1 "userxattr|leave it out|" shale mount base m2 -o userxattr
ok "refused: another compression" refuses 2 "--compression|" shale snapshot commit s other --compression xz
shale mount base m --name s >/dev/null
/usr/bin/python3 -IBS - <<'PYTHON' &
import mmap, os, time
file = os.open("m/new", os.O_RDWR)
mapped = mmap.mmap(file, 1)
open("is-mapped", "w").close()
time.sleep(600)
PYTHON
mapper=$!
await_path is-mapped
ok "refused: what is mapped to be written, by its name and the mount point" refuses 1 "$PWD/m|/new|mapped|unmount it|" shale snapshot commit s other
kill $mapper
wait $mapper 2>/dev/null
shale umount m >/dev/null
if [[ $module == shale ]] && mount -t overlay -o "lowerdir=$(shale snapshot mounts s --json | /usr/bin/python3 -IBS -c 'import json, sys; print(json.load(sys.stdin)["lowers"][0])'),upperdir=$PWD/store/snapshots/s/upper,workdir=$PWD/store/snapshots/s/work,redirect_dir=on,metacopy=on" none m 2>/dev/null; then
    ok "refused: what overlayfs has mounted, and where" refuses 1 "$PWD/m|unmount it|" shale snapshot commit s other
    umount m
fi
state >after
ok "refused: and the store is as it was" diff -u before after

# on_full_disk: a store that has no room for the layer
on_full_disk() {
    local status
    mkdir -p small
    mount -t tmpfs -o size=24m,mode=755 small small || return
    (
        export SHALE_ROOT=$scratch/small/store
        read -r _ < <(make_image small-layout)
        shale image import small-layout:one >/dev/null && shale mount one m2 --name s >/dev/null || exit 1
        head -c 12M /dev/urandom >m2/random
        shale umount m2 >/dev/null
        (cd small && find store/layers store/blobs store/staging | sort) >before
        refuses 1 "No space left|" shale snapshot commit s other || exit 1
        (cd small && find store/layers store/blobs store/staging | sort) | diff -u before - && shows "['one']" json "[i['name'] for i in d]" shale image ls --json
    )
    status=$?
    umount small
    return $status
}
ok "disk full: is an error, and the store as it was" on_full_disk

# --- Stopped in the middle
shale snapshot prepare long base >/dev/null
head -c 64M /dev/urandom >store/snapshots/long/upper/long
# A commit in the background, $pid, that has begun its layer.
begin_commit() {
    shale snapshot commit long stopped &
    pid=$!
    await_path "store/staging/*/made/blobs/sha256/layer"
}
# stops SIGNAL STATUS: a commit that ends so when its layer has begun
stops() {
    local pid
    begin_commit
    kill -s "$1" "$pid"
    wait "$pid"
    (($? == $2)) && ! shale image inspect stopped
}
state >before
ok "SIGTERM: undoes it" stops TERM 143
state >after
ok "SIGTERM: and the store is as it was" diff -u before after
ok "SIGKILL: leaves what it had begun in the staging directory" stops KILL 137
ok "SIGKILL: gc cleans that up" sh -c 'shale gc && ! ls store/staging | grep .'
state >after
ok "SIGKILL: and the store is as it was" diff -u before after
stays_while_committed() {
    local pid status
    begin_commit
    shale snapshot rm long 2>said
    status=$?
    shale mount base m --name long 2>>said
    status=$status$?
    kill "$pid"
    wait "$pid"
    grep -c "is just being committed" said && [[ $status == 11 ]]
}
ok "rm: what is being committed stays" stays_while_committed
shale snapshot rm long >/dev/null

# --- A writer while a mount is committed
write_on() {
    local number=0
    while :; do
        number=$((number + 1))
        echo $number >m/first && echo $number >m/second || exit
    done
}
shale mount base m --name writer >/dev/null
write_on &
writer=$!
sleep 1
ok "under a writer: is committed" shale snapshot commit writer written
kill $writer
wait $writer 2>/dev/null
shale umount m >/dev/null
consistent() {
    shale mount written m --read-only >/dev/null || return
    local first second
    first=$(cat m/first) second=$(cat m/second)
    shale umount m >/dev/null
    echo "first $first, second $second"
    # Each file was emptied before it was written to.
    [[ -z $first || -z $second || $((first - second)) == 0 || $((first - second)) == 1 ]]
}
ok "under a writer: at one moment" consistent

ok "rm, gc: what was committed goes" sh -c 'shale image rm one two zstd epoch epoch2 written live live2 nothing huge index-live index-still && shale gc'
ok "rm, gc: and the rest stays" shale mount base m --name s
shale umount m >/dev/null

finish
