#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What image import, ls and export promise, on a small image that is made here. Runs in the guest, as root, with
# the module loaded; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")

# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"

mkdir m m2
export SHALE_ROOT=$scratch/store

# Two layers, one compressed and one not; the upper one takes a file away. Prints the digests of the manifest, the
# config and the two layers, and the diff ids.
make_image() {
    /usr/bin/python3 - "$1" <<'PYTHON'
import gzip, hashlib, io, json, os, sys, tarfile

blobs = os.path.join(sys.argv[1], "blobs/sha256")
os.makedirs(blobs)

def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()

def blob(data, media_type):
    with open(os.path.join(blobs, digest(data)[7:]), "wb") as file:
        file.write(data)
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

def layer(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, text in files:
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    return out.getvalue()

lower = layer([("etc/name", b"lower\n"), ("gone", b"gone\n"), ("large", bytes(range(256)) * 4096)])
upper = layer([("etc/name", b"upper\n"), (".wh.gone", b"")])
kind = "application/vnd.oci.image."
layers = [blob(gzip.compress(lower, mtime=0), kind + "layer.v1.tar+gzip"), blob(upper, kind + "layer.v1.tar")]
ids = [digest(lower), digest(upper)]
config = blob(json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}}).encode(),
              kind + "config.v1+json")
manifest = blob(json.dumps({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json", "config": config,
                            "layers": layers}).encode(), kind + "manifest.v1+json")
manifest["annotations"] = {"org.opencontainers.image.ref.name": "one"}
with open(os.path.join(sys.argv[1], "index.json"), "w") as file:
    json.dump({"schemaVersion": 2, "manifests": [manifest]}, file)
with open(os.path.join(sys.argv[1], "oci-layout"), "w") as file:
    json.dump({"imageLayoutVersion": "1.0.0"}, file)
print(manifest["digest"], config["digest"], *(layer["digest"] for layer in layers), *ids)
PYTHON
}

same_blobs() { diff -r "$1/blobs" "$2/blobs"; }
manifest_of() { /usr/bin/python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["manifests"][0]["digest"])' "$1/index.json"; }

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
    /usr/bin/python3 - docker <<'PYTHON'
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
