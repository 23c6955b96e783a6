#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Layers one by one: listed, held against each other, merged, and made to share what is equal in them. Runs in the guest,
# as root; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")

# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
# shellcheck source=tests/commands/lib/layout.sh
source "$tests/commands/lib/layout.sh"
# shellcheck source=tests/commands/lib/everything.sh
source "$tests/commands/lib/everything.sh"

# A file counts the names that its layer has for it, of which the union may hide some. Where there are holes, archives don't
# say.
dump() {
    "$tests/interop/treedump.py" "$1" |
        sed -E -e '/^\/socket /d' -e 's/ sparse( |$)/\1/' -e 's/ nlink=[0-9]+//' -e 's@^/([^ ]+)( .*) same-as=\1( .*)?$@/\1\2\3@'
}
is_as_expected() { dump "$1" | diff -u expected -; }

mkdir m m2
export SHALE_ROOT=$scratch/store

# commit NAME COMMAND...: what the command does on a mount of base, or of $on, becomes the image NAME
commit() {
    local image=$1 status=0
    shift
    shale mount "${on:-base}" m --name writing >/dev/null || return
    "$@" || status=1
    shale umount m >/dev/null || status=1
    shale snapshot commit writing "$image" 2>/dev/null || status=1
    shale snapshot rm writing >/dev/null && return $status
}
# Less to read, each time that everything is looked at.
change_first() { change_everything && rm m/holes; }
change_more() {
    echo again >m/new
    rm m/links/a m/etc/mode
    mv m/moved-away m/moved-back
    rm -r m/opaque && mkdir m/opaque && echo third >m/opaque/third
    echo back >m/old-name
    rm -r m/file-to-directory
}
change_last() {
    echo last >m/last
    rm -r m/fresh
    chmod 700 m/etc
}
make_four() {
    commit two change_first && on=two commit three change_more && on=three commit four change_last
}
whiteouts_in() { find "$1" -type c -exec stat -c %t:%T {} + | grep -c "^0:0$"; }

fill_base || give_up
rm base/sparse
make_layout base layout || give_up

echo "TAP version 13"
ok "an image of one layer" shale image import layout:base
ok "an image of four" make_four
shale mount four m --read-only >/dev/null || give_up
dump m >expected
shale umount m >/dev/null

# --- ls and show
ok "ls: layers, the bottom one first" shows "[1, 2, 3, 4]" json "[max(u['number'] for u in l['images']) for l in d]" shale layer ls --json
ok "ls: with the images that have them" shows "[('base', 1), ('four', 1), ('three', 1), ('two', 1)]" \
    json "[(u['image'], u['number']) for u in d[0]['images']]" shale layer ls --json
ok "ls: nothing is shared" shows "True" json "all(l['shared_bytes'] == 0 and l['bytes'] == l['unique_bytes'] > 0 for l in d)" shale layer ls --json
ok "ls: a table" says "DIFF ID|UNIQUE|base:1, four:1, three:1, two:1|" shale layer ls
ok "show: by number" shows "$(field four 'i["layers"][1]["chain_id"]')" json "d['chain_id']" shale layer show four:2 --json
id=$(field four 'i["layers"][3]["diff_id"]')
ok "show: by the begin of the diff id" says "$id|stands on|four:4|mounted     no|" shale layer show "${id:7:12}"
ok "show: what it stands on" shows "$(field four '[l["chain_id"] for l in i["layers"][2::-1]]')" json "d['below']" shale layer show four:4 --json
ok "show: whiteouts and opaque directories" shows "True" json "d['whiteouts'] > 3 and d['opaque'] > 0" shale layer show four:2 --json
ok "show: as find counts them" shows "$(whiteouts_in "$(field four 'i["layers"][1]["path"]')")" \
    json "d['whiteouts']" shale layer show four:2 --json
ok "show: there is no such layer" refuses 1 "four:5|has only 4|" shale layer show four:5
ok "show: nor such a digest" refuses 1 "nosuch|layer ls|" shale layer show nosuch
ok "show: what could be several" refuses 1 "may be|" shale layer show sha256:
shale snapshot prepare web four >/dev/null
ok "ls: writable layers on them" shows "True" json "all(l['snapshots'] == ['web'] for l in d)" shale layer ls --json
shale mount four m --name web >/dev/null
ok "show: mounted" says "mounted     yes|snapshots   web|" shale layer show four:1
shale umount m >/dev/null
shale snapshot rm web >/dev/null

# --- diff
ok "diff: of a layer with itself is none" prints_nothing shale layer diff four:2 two:2
ok "diff: what differs" says "A /last|D /new|" shale layer diff four:3 four:4
ok "diff: and the other way round" says "D /last|A /new|" shale layer diff four:4 four:3
ok "diff: a whiteout is an object" says "A /links/a|" shale layer diff four:4 four:3
ok "diff: for programs" shows "['D']" json "[c['kind'] for c in d if c['path'] == '/last']" shale layer diff four:4 four:3 --json
ok "diff: of an unknown one" refuses 1 "nosuch|" shale layer diff four:1 nosuch

# --- merge
before=$(shale image inspect four)
ok "squash: all layers" says "made small of four: 1 layer, the merged one of|" shale layer squash four --name small
ok "squash: shows the same" shows_the_same small expected
ok "squash: verifies" says ": as imported|" shale image verify small
ok "squash: has no whiteouts" shows "0 0" json "f\"{d['whiteouts']} {d['opaque']}\"" shale layer show small:1 --json
ok "squash: is the same, twice" sh -c "shale layer squash four --name small2 >/dev/null && test \"\$(shale image inspect small | grep '\"manifest\"')\" = \"\$(shale image inspect small2 | grep '\"manifest\"')\""
ok "merge: the upper ones" says "2 layers|" shale layer merge four --from 2 --name upper
ok "merge: on the same base" shows "$(field four 'i["layers"][0]["chain_id"]')" field upper 'i["layers"][0]["chain_id"]'
ok "merge: shows the same" shows_the_same upper expected
ok "merge: what it hides stays hidden" shows "True" json "d['whiteouts'] > 3" shale layer show upper:2 --json
ok "merge: the lower ones" says "2 layers|" shale layer merge four --to 3 --name lower --compression zstd
ok "merge: shows the same, too" shows_the_same lower expected
ok "merge: those in the middle" says "3 layers|" shale layer merge four --from 2 --to 3 --name middle
ok "merge: shows the same again" shows_the_same middle expected
ok "merge: verifies" says ": as imported|" shale image verify upper lower middle
ok "merge: the history has a step more, and a layer less" shows "[4, 5, 3]" \
    json "[len(d['layers']) + 1, len(d['config']['history']), len([h for h in d['config']['history'] if not h.get('empty_layer')])]" \
    shale image inspect middle
ok "merge: history tells which" says "layers 2 to 3|shale layer merge|" sh -c "shale image history middle --json"
ok "merge: the first one is as it was" shows "$before" shale image inspect four
ok "merge: a layer that is not there" refuses 1 "no layer 9|image history|" shale layer merge four --to 9 --name new
ok "merge: one is not several" refuses 1 "are not several|" shale layer merge four --from 2 --to 2 --name new
ok "merge: nor is none" refuses 2 "--from|" shale layer merge four --from 0 --name new
ok "merge: of one layer" refuses 1 "no two layers|" shale layer squash base --name new
ok "merge: a name is needed" refuses 2 "--name|" shale layer squash four
ok "merge: leaves nothing behind" is_empty store/staging
if command -v umoci >/dev/null && command -v skopeo >/dev/null; then
    for image in small upper middle; do # umoci may know no zstd
        ok "export: $image" shale image export $image out-$image --tag it
        ok "export: umoci unpacks $image" umoci unpack --image "out-$image:it" bundle-$image
        ok "export: to what the mount shows" is_as_expected bundle-$image/rootfs
        ok "export: skopeo reads it" sh -c "skopeo inspect --config oci:out-$image:it >/dev/null && skopeo copy -q oci:out-$image:it oci:copy-$image:it"
        rm -rf "bundle-$image" "out-$image" "copy-$image"
    done
else
    skip "export" "umoci and skopeo are not installed"
fi
kill_at() { # of which nothing comes, or all
    timeout -s KILL "$1" shale layer merge four --from 2 --name killed >/dev/null 2>&1
    if shale image inspect killed >/dev/null 2>&1; then
        shows_the_same killed expected && shale image rm killed >/dev/null
    fi && shale image verify >/dev/null && shale gc >/dev/null && is_empty store/staging
}
ok "merge: killed early" kill_at 0.02
ok "merge: killed later" kill_at 0.2
ok "merge: killed at the end" kill_at 0.6
shale image rm small small2 upper middle >/dev/null

# --- dedup
if ! shale layer dedup >out 2>err; then
    ok "dedup: says what helps" grep -q -- "--hardlink" err
fi
ok "dedup: finds twins" shows "True" json "d['linked']['files'] > 10 and d['dry_run'] and d['different'] == 0" \
    shale layer dedup --hardlink --dry-run --json
ok "dedup: and leaves them" shows "True" json "all(l['shared_files'] == 0 for l in d)" shale layer ls --json
shale mount lower m --read-only >/dev/null
ok "dedup: not of what is mounted" says "left alone|it is mounted|" shale layer dedup --hardlink
ok "dedup: so that nothing comes of it" shows "True" json "all(l['shared_files'] == 0 for l in d if l['mounted'])" shale layer ls --json
ok "dedup: and the mount stays" is_as_expected m
shale umount m >/dev/null
shale snapshot prepare web lower >/dev/null
ok "dedup: nor of what carries a writable layer" says "'web' stands on it|" shale layer dedup --hardlink
shale snapshot rm web >/dev/null
sum=$(du -s store/layers | cut -f1)
ok "dedup: links" says "linked to files of other layers|" shale layer dedup --hardlink
ok "dedup: which frees room" test "$(du -s store/layers | cut -f1)" -lt "$sum"
ok "dedup: ls tells" shows "True" json "sum(l['shared_bytes'] for l in d) > 0" shale layer ls --json
ok "dedup: show tells" says "that other layers have as well|" shale layer show lower:1
ok "dedup: each layer is as it was" says ": as imported|" shale image verify
ok "dedup: images show what they showed" shows_the_same four expected
ok "dedup: all of them" shows_the_same lower expected
ok "dedup: again, there is nothing to do" shows "[0, True]" json "[d['linked']['files'], d['linked_before']['files'] > 10]" shale layer dedup --hardlink --json
ok "dedup: df counts it once" shows "True" json "d['layers']['bytes'] < sum(l['bytes'] for l in json.load(open('ls.json')))" \
    sh -c "shale layer ls --json >ls.json && shale store df --json"
ok "dedup: a writable layer works on it" sh -c "shale mount lower m --name on-links && echo more >>m/etc/name && chmod 600 m/capable && shale umount m"
ok "dedup: and is committed" shale snapshot commit on-links changed
ok "dedup: the layers below have not changed" says ": as imported|" shale image verify
shale snapshot rm on-links >/dev/null
ok "dedup: an image goes" sh -c "shale image rm lower changed && shale image verify"
ok "dedup: and the others show what they showed" shows_the_same four expected
ok "dedup: leaves nothing behind" is_empty store/staging
two_and_flat() {
    shale image import "$1:base" >/dev/null && commit two change_first >/dev/null &&
        shale layer merge two --name flat >/dev/null
}
kill_dedup() {
    rm -rf store
    two_and_flat layout || return
    timeout -s KILL "$1" shale layer dedup --hardlink >/dev/null 2>&1
    shale image verify >/dev/null && shale gc >/dev/null && is_empty store/staging && shale layer dedup --hardlink >/dev/null &&
        shale image verify
}
for delay in 0.02 0.08; do
    ok "dedup: killed after $delay s" kill_dedup $delay
done

# --- data that is shared by reflink, on file systems that can; xfs has no device of that number
rm base/disk
make_layout base plain || give_up
for type in btrfs xfs; do
    modprobe -q "$type"
    if ! grep -qw "$type" /proc/filesystems || ! modprobe -q loop || ! command -v "mkfs.$type" >/dev/null; then
        skip "$type" "not here"
        continue
    fi
    truncate -s 512M image.$type
    mkfs.$type -q image.$type
    mkdir base.$type
    mount -t $type -o loop image.$type base.$type || give_up
    export SHALE_ROOT=$scratch/base.$type/store
    two_and_flat plain || give_up
    shale mount two m2 --read-only >/dev/null
    dump m2 >expected
    sync -f base.$type
    ok "$type: says what it would share" shows "True" json "d['data']['bytes'] > 1200000 and d['data_before']['files'] == 0" shale layer dedup --dry-run --json
    ok "$type: shares, mounted or not" shows "True" json "d['data']['bytes'] > 1200000 and d['refused'] == d['different'] == 0" shale layer dedup --json
    ok "$type: what is mounted stays" is_as_expected m2
    ok "$type: so it is known" shows "[True, True]" json "[d['data']['bytes'] < 200000, d['data_before']['bytes'] > 1200000]" shale layer dedup --json
    ok "$type: layers are as they were" says ": as imported|" shale image verify
    shale umount m2 >/dev/null
    ok "$type: links as well" says "linked to files of other layers|sharing data|" shale layer dedup --hardlink
    ok "$type: and they still are" says ": as imported|" shale image verify
    umount base.$type
    rm image.$type
done

finish
