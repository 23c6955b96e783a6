# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# An image layout for tests of `shale image`, and comparisons of what comes of it.

# Two layers, one compressed and one not; the upper one takes a file away. Prints the digests of the manifest, the
# config and the two layers, and the diff ids.
make_image() {
    /usr/bin/python3 -IBS - "$1" <<'PYTHON'
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
# is_empty DIR...: nothing is in any of them
is_empty() { [[ -z $(find "$@" -mindepth 1) ]]; }
