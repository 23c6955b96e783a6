#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Images in one file or in a pipe: what import takes of other programs' archives, and they of export's. Runs in the
# guest, as root; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")

# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
# shellcheck source=tests/commands/lib/layout.sh
source "$tests/commands/lib/layout.sh"

mkdir m
export SHALE_ROOT=$scratch/store

read -r manifest config _ _ lower_id upper_id < <(make_image layout) || give_up
tar -C layout -cf layout.tar . || give_up

# field NAME KEY: of an image in the store
field() { shale image ls --json | /usr/bin/python3 -IBS -c 'import json, sys
print(next(i[sys.argv[2]] for i in json.load(sys.stdin) if i["name"] == sys.argv[1]))' "$1" "$2"; }
# piped FILE COMMAND...: with the file in a pipe to it
# shellcheck disable=SC2002 # a pipe is what is tested
piped() { cat "$1" | "${@:2}"; }
# is_at_rest: nothing is under way in the store
is_at_rest() { is_empty store/staging; }
# leaves_nothing COMMAND...: succeeds, and the store has no image, nor anything else, after that
leaves_nothing() {
    rm -rf store
    "$@" && shows "[]" shale image ls --json && is_empty store/{layers,blobs/sha256,staging,snapshots}
}

echo "TAP version 13"
ok "a layout in a tar" says "imported one: 2 layers|" shale image import layout.tar
ok "is the same image" shows "$manifest" field one manifest
ok "has the same blobs" same_blobs layout store
ok "and leaves nothing in the staging directory" is_at_rest
ok "its layers can be mounted" shale mount one m --read-only
ok "and show what they hold" shows "upper" cat m/etc/name
shale umount m >/dev/null

shale image export one docker.tar --format docker-archive >/dev/null || give_up
ok "a docker-archive of the same image, compressed, through a pipe" \
    says "imported piped: 2 layers|2 of them in the store already|" sh -c 'gzip -c docker.tar | shale image import - --name piped'
ok "has the same config" shows "$config" field piped config
ok "with zstd, and the name that docker knows" says "imported one:latest: 2 layers|" sh -c 'zstd -qc docker.tar | shale image import -'
ok "one of several, by standard input's path" says "imported one:latest|" piped docker.tar shale image import /dev/stdin:one:latest
ok "another is named, with those that there are" refuses 1 "holds no image tagged 'two'|one:latest|" shale image import docker.tar:two
ok "a name that does not exist is refused" refuses 1 "nosuch.tar|archive|" shale image import nosuch.tar
ok "standard input that is closed is refused" refuses 1 "standard input: Bad file descriptor|" sh -c 'shale image import - <&-'
ok "a terminal is refused" sh -c "script -qec 'shale image import -' /dev/null | grep -q 'standard input: is a terminal'"

# --- What must not come in
mkdir -p outside/inside
echo "[]" >outside/manifest.json
(cd outside/inside && tar -P -cf ../../outside.tar ../manifest.json)
head -c 5000 docker.tar >cut.tar
gzip -c docker.tar | head -c 2000 >cut.tar.gz
xz -c docker.tar >docker.tar.xz
ok "a name that leads out" leaves_nothing refuses 1 "outside.tar: entry '../manifest.json'|" shale image import outside.tar
ok "what is cut off" leaves_nothing refuses 1 "cut.tar: entry |damaged|" shale image import cut.tar
ok "what is cut off, in a pipe" leaves_nothing refuses 1 "standard input: gzip data is truncated|" piped cut.tar.gz shale image import -
ok "no image" leaves_nothing refuses 1 "said.sh: damaged tar archive|" shale image import "$tests/commands/lib/said.sh"
ok "another compression is named" leaves_nothing refuses 1 "compressed by xz|xz -d|" shale image import docker.tar.xz

# on_full_disk COMMAND...: with a store on a file system that the archive fills
on_full_disk() {
    local status
    mkdir -p small
    mount -t tmpfs -o size=900k,mode=755 small small || return
    SHALE_ROOT=$scratch/small/store "$@"
    status=$?
    is_empty small/store/{layers,blobs/sha256,staging} || status=1
    umount small
    return $status
}
ok "more than there is room for" on_full_disk refuses 1 "docker.tar: entry |No space left|" shale image import docker.tar

# begins SIGNAL STATUS: an import of a pipe that ends so when it has read a part
begins() {
    local pid status
    rm -f pipe
    mkfifo pipe
    shale image import - <pipe &
    pid=$!
    exec {to}>pipe
    head -c 100000 docker.tar >&"$to"
    await_path "store/staging/*/archive/incoming"
    kill -s "$1" $pid
    wait $pid
    status=$?
    exec {to}>&-
    ((status == $2))
}
ok "stopped in the middle" leaves_nothing begins TERM 143
rm -rf store
ok "killed in the middle: what is left is in the staging directory" begins KILL 137
ok "and goes with the next one" says "imported one:latest: 2 layers|" shale image import docker.tar
ok "without a trace" is_at_rest

# --- Other programs
their_manifest() { skopeo inspect --raw "$1" | sha256sum | sed 's/^\([0-9a-f]*\).*/sha256:\1/'; }
their_config() { skopeo inspect --config --raw "$1" | sha256sum | sed 's/^\([0-9a-f]*\).*/sha256:\1/'; }
their_layers() { skopeo inspect "$1" | /usr/bin/python3 -IBS -c 'import json, sys; print(*json.load(sys.stdin)["Layers"])'; }
our_layers() { shale image inspect "$1" | /usr/bin/python3 -IBS -c 'import json, sys; print(*json.load(sys.stdin)["config"]["rootfs"]["diff_ids"])'; }

rm -rf store
if command -v skopeo >/dev/null; then
    export TMPDIR=$scratch
    ok "skopeo: an oci-archive of its own" skopeo copy -q --preserve-digests oci:layout:one oci-archive:theirs.tar:demo:1
    ok "skopeo: comes in under its tag" says "imported demo:1: 2 layers|" shale image import theirs.tar
    ok "skopeo: with the same manifest" shows "$manifest" field demo:1 manifest
    ok "skopeo: a docker-archive of its own, with links" skopeo copy -q oci:layout:one docker-archive:theirs-docker.tar:demo:2
    ok "skopeo: comes in under the name that people use" \
        says "imported demo:2: 2 layers|2 of them in the store already|" shale image import theirs-docker.tar
    ok "skopeo: with the same config" shows "$config" field demo:2 config
    ok "skopeo: an oci-archive of ours" shale image export demo:1 ours.tar
    ok "skopeo: has the manifest for it, too" shows "$manifest" their_manifest oci-archive:ours.tar
    ok "skopeo: a docker-archive of ours" shale image export demo:2 ours-docker.tar --format docker-archive
    ok "skopeo: has the config for it, too" shows "$config" their_config docker-archive:ours-docker.tar
    ok "skopeo: and the layers" shows "$lower_id $upper_id" their_layers docker-archive:ours-docker.tar
    ok "skopeo: made a layout of it" skopeo copy -q docker-archive:ours-docker.tar oci:back:demo
    ok "skopeo: comes in from there" shale image import back:demo
    ok "skopeo: is the same layers all the way" shows "$lower_id $upper_id" our_layers demo
else
    skip "skopeo: archives of its own and ours" "it is not installed"
fi

finish
