#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The store as a whole: image verify finds damage, store rebuild brings a lost database back, df and prune tell and free
# what is not in use. Runs in the guest, as root; speaks KTAP. Only what needs a mount needs the module.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")

# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
# shellcheck source=tests/commands/lib/layout.sh
source "$tests/commands/lib/layout.sh"

mkdir m m2
export SHALE_ROOT=$scratch/store

read -r manifest _ _ plain lower_id _ < <(make_image layout) || give_up
plain=${plain#sha256:}

# state: all that the store knows
state() {
    shale image ls --json
    shale image inspect one
    shale snapshot ls --json
}
digests_of() { tar -xOf "$1" index.json | /usr/bin/python3 -IBS -c 'import json, sys; print(json.load(sys.stdin)["manifests"][0]["digest"])'; }
# with_time_of FILE COMMAND...: which changes FILE and leaves its time
with_time_of() {
    local file=$1 time
    time=$(stat -c %y "$file")
    shift
    "$@" && touch -h -d "$time" "$file"
}

echo "TAP version 13"
ok "import" shale image import layout:one
lower=store/layers/${lower_id#sha256:}
[[ -d $lower ]] || give_up

# --- verify
ok "verify: what was imported is as it was" says "2 layers of|4 blobs|: as imported|" shale image verify
ok "verify: of one image, for programs" shows "[0, [], [], []]" json "[d['count'], d['findings'], d['unknown_layers'], d['missing_blobs']]" shale image verify one --json
ok "verify: an unknown image is named" refuses 1 "nosuch|image ls|" shale image verify nosuch

# finds PATH WORDS: verify fails, and names them
finds() {
    shale image verify >out 2>err && return 1
    cat out err
    [[ $(grep -c "^layer\|^blob\|^image" out) == 1 ]] && grep -F -- "$1: expected" out | grep -qF -- "$2" && grep -q "1 finding" err
}
cp -a "$lower/large" kept
with_time_of "$lower/large" sh -c "printf X | dd of='$lower/large' bs=1 seek=5000 conv=notrunc status=none"
ok "verify: content that changed, size and time the same" finds /large "content "
cp -a kept "$lower/large"
ok "verify: and is as it was again" shale image verify
chmod 666 "$lower/large"
ok "verify: a mode" finds /large "mode 644; seen mode 666"
chmod 644 "$lower/large"
chown 1:2 "$lower/large"
ok "verify: an owner" finds /large "owner 0:0; seen owner 1:2"
chown 0:0 "$lower/large"
ok "verify: an attribute" sh -c "/usr/bin/python3 -IBS -c 'import os, sys; os.setxattr(sys.argv[1], \"user.color\", b\"red\")' '$lower/large'"
ok "verify: is found" finds /large "attribute user.color none; seen attribute user.color sha256:"
/usr/bin/python3 -IBS -c 'import os, sys; os.removexattr(sys.argv[1], "user.color")' "$lower/large"
with_time_of "$lower" mv "$lower/gone" away
ok "verify: a file that is gone" finds /gone "expected a file; seen nothing"
with_time_of "$lower" mv away "$lower/gone"
with_time_of "$lower/etc" touch "$lower/etc/new"
ok "verify: a file that is new" finds /etc/new "expected nothing; seen a file"
with_time_of "$lower/etc" rm "$lower/etc/new"
cp "store/blobs/sha256/$plain" kept.blob
sed -i 's/upper/UPPER/' "store/blobs/sha256/$plain"
ok "verify: a blob of the same size" finds "blob sha256:$plain" "seen sha256:"
ok "verify: for programs" sh -c "shale image verify --json 2>/dev/null | /usr/bin/python3 -IBS -c 'import json, sys
d = json.load(sys.stdin)
assert d[\"count\"] == 1 and d[\"findings\"][0][\"where\"] == \"blob\" and d[\"findings\"][0][\"images\"] == [\"one\"]'"
cp kept.blob "store/blobs/sha256/$plain"
ok "verify: all is as it was" shale image verify
rm -r "$lower"
ok "verify: a layer that is gone" finds "layer $lower_id" "expected a directory; seen nothing"
ok "verify: and import makes it again" sh -c "shale image import layout:one && shale image verify"

# --- rebuild
shale image tag one registry:5000/other/one >/dev/null
shale snapshot prepare web one >/dev/null
echo changed >store/snapshots/web/upper/changed
shale image export one before.tar
state >before
rm store/shale.db
ok "rebuild: without a database there is nothing" sh -c "shale image ls 2>&1 | grep -q 'no images'"
ok "rebuild: takes up what is there" says "2 images with 2 layers, and 1 writable layer; 3 of them|" shale store rebuild
state >after
ok "rebuild: all is as before" diff -u before after
ok "rebuild: exports have the same digests" sh -c "shale image export one after.tar && cmp before.tar after.tar"
ok "rebuild: it is the manifest that it was" shows "$manifest" digests_of after.tar
ok "rebuild: gc takes nothing" says "removed nothing|" shale gc
ok "rebuild: nor is anything damaged" shale image verify
ok "rebuild: of a sound one changes nothing" says "; 0 of them|" shale store rebuild
head -c 20000 /dev/urandom >store/shale.db
ok "rebuild: a damaged database is named, with what to do" refuses 1 "shale.db|shale store rebuild|" shale image ls
ok "rebuild: and set aside" says "shale.db.damaged now|2 images|" shale store rebuild
state >after
ok "rebuild: and all is as before, again" diff -u before after
ok "rebuild: a store that is none is named" refuses 1 "store nosuch|--root|" shale --root nosuch store rebuild
ok "rebuild: and not made" test ! -e nosuch
rm store/shale.db
shale image import layout:one --name third >/dev/null
ok "rebuild: before, gc removes nothing" refuses 1 "shale store rebuild|" shale gc
ok "rebuild: and takes up the rest afterwards" says "3 images|1 writable layer|" shale store rebuild
shale image rm third >/dev/null

# --- df and prune
ok "df: counts" shows "[2, 1, 2, 2, 4, 4, 1, 0]" json "[d[k][n] for k in ['images', 'layers', 'blobs', 'snapshots'] for n in ['count', 'active']]" shale store df --json
ok "df: two names of one image share all" shows "True" json "d['images']['shared'] == d['images']['bytes'] > 1000000" shale store df --json
ok "df: a table" says "TYPE|writable layers|RECLAIMABLE|" shale store df
ok "prune: without --all, no image" says "removed nothing|" shale image prune
ok "prune: says what it would do" says "would remove 1 image: registry:5000/other/one|" shale image prune --all --dry-run
ok "prune: and does not" shows 2 json "len(d)" shale image ls --json
ok "prune: removes it" says "removed 1 image: registry:5000/other/one|" shale image prune --all
ok "prune: the one with a writable layer stays" shows "['one']" json "[i['name'] for i in d]" shale image ls --json
ok "prune: and is whole" shale image verify
rm -r store/snapshots/web/upper/changed
shale snapshot rm web >/dev/null
if shale mount one m --read-only >/dev/null 2>&1; then
    ok "prune: what is mounted stays" says "removed nothing|" shale store prune --all
    shale umount m >/dev/null
fi
ok "df: what nobody uses is reclaimable" shows "True" json "d['images']['reclaimable'] == d['images']['bytes'] > 0 and d['layers']['reclaimable'] == 0" shale store df --json
ok "prune: all that nobody uses" shows "[['one'], 2, 4, True]" json "[d['images'], len(d['layers']), len(d['blobs']), d['removed']]" shale store prune --all --json
ok "prune: so that nothing is left" is_empty store/layers store/blobs/sha256 store/staging store/trees store/images
ok "df: of an empty store" shows "0" json "sum(sum(k.values()) for k in d.values())" shale store df --json

finish
