#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What image import, ls and export promise, on a small image that is made here. Runs in the guest, as root, with
# the module loaded; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")

# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
# shellcheck source=tests/commands/lib/layout.sh
source "$tests/commands/lib/layout.sh"

mkdir m m2
export SHALE_ROOT=$scratch/store

manifest_of() { /usr/bin/python3 -IBS -c 'import json, sys; print(json.load(open(sys.argv[1]))["manifests"][0]["digest"])' "$1/index.json"; }

read -r manifest config _ plain lower_id upper_id < <(make_image layout) || give_up

echo "TAP version 13"
ok "import: an image of a layout" shale image import layout:one
ok "import: each blob is kept as it came" same_blobs layout store
ok "ls: names it, with its digest" shows "one $manifest" json "d[0]['name'] + ' ' + d[0]['manifest']" shale image ls --json
ok "mount: shows what the layers make together" shale mount one m
ok "mount: the upper layer's file, and not what it takes away" shows $'etc\nlarge\nupper' sh -c 'ls m; cat m/etc/name'
shale umount m >/dev/null

ok "export: a directory" shale image export one copy
ok "export: with the same blobs" same_blobs layout copy
ok "export: and the same manifest" shows "$manifest" manifest_of copy
ok "export: can be imported, and nothing is unpacked again" shale image import copy:one --name two
ok "export: which is the same image" shows "$manifest" json "[i['manifest'] for i in d if i['name'] == 'two'][0]" shale image ls --json
ok "export: a tar" shale image export one copy.tar
ok "export: of the same layout" sh -c 'mkdir unpacked && tar -xf copy.tar -C unpacked && diff -r layout/blobs unpacked/blobs'
ok "export: to standard output, the same" sh -c 'shale image export one - | cmp - copy.tar'

ok "export: as docker save does" shale image export one docker.tar --format docker-archive
docker_digests() {
    mkdir docker && tar -xf docker.tar -C docker || return
    /usr/bin/python3 -IBS - docker <<'PYTHON'
import hashlib, json, os, sys
os.chdir(sys.argv[1])
image = json.load(open("manifest.json"))[0]
print(image["RepoTags"], *("sha256:" + hashlib.sha256(open(name, "rb").read()).hexdigest()
                           for name in [image["Config"], *image["Layers"]]))
PYTHON
}
ok "export: whose config and uncompressed layers have the digests that the config names" \
    shows "['one:latest'] $config $lower_id $upper_id" docker_digests

ok "export: leaves what is there alone" refuses 1 "copy.tar|exists|" shale image export one copy.tar
ok "export: also a directory" refuses 1 "copy|exists|" shale image export one copy
ok "export: an unknown image is named" refuses 1 "nosuch|image ls|" shale image export nosuch other
ok "export: an unknown format is wrong usage" refuses 2 "--format|" shale image export one other --format zip
ok "export: a directory can't go to standard output" refuses 2 "oci|standard output|" shale image export one - --format oci

# --- Names, and what goes with the last one
layers() { find store/layers -mindepth 1 -maxdepth 1 | wc -l; }

ok "tag: another name" shale image tag one again
ok "tag: of the same image" shows "$manifest" json "[i['manifest'] for i in d if i['name'] == 'again'][0]" shale image ls --json
ok "tag: an unknown image is named" refuses 1 "nosuch|image ls|" shale image tag nosuch other
ok "tag: a name that is none is refused" refuses 1 "a b|" shale image tag one "a b"
ok "inspect: the config" shows "amd64 $config" json "d['config']['architecture'] + ' ' + d['config_digest']" shale image inspect one
ok "history: the layers, the last first" shows "[10240, 1054720]" json "[step['size'] for step in d]" shale image history one --json
ok "rm: all or none" refuses 1 "nosuch|image ls|" shale image rm again nosuch
ok "rm: a name" says "removed again; all that it had is in use|" shale image rm again
ok "rm: and the others are as they were" same_blobs layout store
ok "rm: an unknown image is named" refuses 1 "nosuch|image ls|" shale image rm nosuch
ok "rm: an image with a writable layer stays, and that is named" refuses 1 "image 'one'|'one'|shale snapshot rm one|" shale image rm one
shale mount one m --name one >/dev/null
ok "snapshot: ls says what is mounted" shows "[['one', 'one', True]]" json "[[s['name'], s['image'], s['mounted']] for s in d]" shale snapshot ls --json
ok "snapshot: what is mounted is not removed" refuses 1 "writable layer 'one'|mounted|shale mounts|" shale snapshot rm one
shale umount m >/dev/null
mkdir treasure
touch treasure/file
mkdir store/snapshots/one/upper/deep
mount --bind treasure store/snapshots/one/upper/deep
ln -s store link
ok "snapshot: nor is what something is mounted in" refuses 1 "writable layer 'one'|mounted|" shale --root store/ snapshot rm one
ok "snapshot: by whatever name the store goes" refuses 1 "writable layer 'one'|mounted|" shale --root link snapshot rm one
umount store/snapshots/one/upper/deep
layers_of_one=lowerdir=treasure,upperdir=$PWD/store/snapshots/one/upper,workdir=$PWD/store/snapshots/one/work
if mount -t overlay -o "$layers_of_one" none m 2>/dev/null; then
    ok "snapshot: nor what overlayfs writes to" refuses 1 "writable layer 'one'|mounted|" shale snapshot rm one
    umount m
    unshare -m bash -c 'mount -t overlay -o "$1" none m && touch there && exec sleep 60' bash "$layers_of_one" &
    for _ in {1..100}; do [[ -e there ]] || sleep 0.1; done
    ok "snapshot: nor what it writes to in another namespace" refuses 1 "writable layer 'one'|mounted|" shale snapshot rm one
    kill $!
    wait $! 2>/dev/null
fi
ok "snapshot: and it is all there" test -e treasure/file -a -d store/snapshots/one/upper/deep
ok "snapshot: rm, when it is not" says "removed one|" shale snapshot rm one
ok "snapshot: and it is gone" shows "[]" json "d" shale snapshot ls --json
ok "snapshot: an unknown one is named" refuses 1 "nosuch|shale snapshot ls|" shale snapshot rm nosuch

shale mount one m --read-only >/dev/null
ok "rm: layers that are mounted stay" says "removed two, one, and 0 layers and 4 blobs of|that no image has; 2 layers stay while mounted|" \
    shale image rm two one
ok "rm: and can be read" shows "upper" cat m/etc/name
shale umount m >/dev/null
ok "gc: says what it would remove" says "would remove 2 layers and 0 blobs|" shale gc --dry-run
ok "gc: and does not" shows 2 layers
ok "gc: removes it" says "removed 2 layers and 0 blobs|" shale gc
ok "gc: so that nothing is left" is_empty store/layers store/blobs/sha256 store/staging

ok "import: begins anew" shale image import layout:one
mkdir bound
mount --bind "store/layers/${lower_id#sha256:}" bound
ok "rm: what is mounted otherwise stays, too" says "1 layer stays while mounted|" shale image rm one
ok "rm: and only that" shows 1 layers
umount bound
ok "gc: until that is over" says "removed 1 layer and 0 blobs|" shale gc

ok "import: and again" shale image import layout:one
ok "gc: --blobs leaves the layers" says "removed 0 layers and 4 blobs|" shale gc --blobs
ok "gc: after which the image can be mounted" shale mount one m --read-only
shale umount m >/dev/null
ok "gc: but not exported, and why" refuses 1 "one|import it again|" shale image export one other
shale image import layout:one >/dev/null

# --- What was kept can be lost
mv "store/blobs/sha256/${plain#sha256:}" kept
ok "export: a blob that is gone is named, with what to do" refuses 1 "one|import it again|" shale image export one other
ok "import: brings it back" shale image import layout:one
ok "import: without a change to the others" same_blobs layout store
sed -i 's/upper/UPPER/' "store/blobs/sha256/${plain#sha256:}"
ok "export: a blob that was changed is refused" refuses 1 "${plain#sha256:}|wrong digest|remove it|" shale image export one other
ok "export: and nothing is left of what was begun" sh -c '! ls -d other* .other* 2>/dev/null'
rm "store/blobs/sha256/${plain#sha256:}"
ok "import: after it was removed, as was said" sh -c 'shale image import layout:one && shale image export one other'
ok "export: is whole again" same_blobs layout other

finish
