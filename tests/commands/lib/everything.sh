# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# An image with everything in it, and each way there is to change it, on a mount.

for program in setfacl setfattr setcap; do
    command -v $program >/dev/null || skip_all "$program is not installed"
done

# fill_base: the tree, in base
fill_base() {
    mkdir -p base/{etc,moved/deep,merged/deep,opaque/old,gone/deep,emptied,links,quiet,acl.d} && cd base || return
    echo name >etc/name
    echo "chmod me" >etc/mode
    head -c 600K /dev/urandom >etc/large
    head -c 600K /dev/urandom >moved/large
    echo deep >moved/deep/file
    echo lower >merged/lower
    echo lower >merged/deep/lower
    echo old >opaque/old/file
    echo gone >gone/deep/file
    echo x >emptied/x
    echo both >links/a && ln links/a links/b
    echo apart >links/c && ln links/c moved/c
    echo quiet >quiet/file
    echo rename >old-name
    echo file >file-to-directory
    mkdir -p directory-to-file/deep
    ln -s etc/name symlink
    mkfifo fifo
    mknod null c 1 3
    mknod disk b 259 1048575
    # Holes of 16 MiB and more are written as such, as those of "holes" and "hole" are; smaller ones need not be.
    truncate -s 40M sparse && printf middle | dd of=sparse bs=1 seek=20000000 conv=notrunc status=none
    setfacl -m u:1234:rw,g:77:r etc/name && setfacl -d -m u:4321:rx acl.d
    cp /bin/true capable && setcap cap_net_raw+ep capable
    setfattr -n user.color -v red etc/mode
    chown 3000000:4000000 etc/large
    chmod 4711 capable
    touch -d "2001-02-03 04:05:06.123456789" etc/name moved/deep quiet
    cd ..
}

# make_layout TREE LAYOUT: an image of one layer
make_layout() {
    tar --format=pax --sparse --xattrs --xattrs-include='*' -C "$1" -cf "$2.tar" . || return
    /usr/bin/python3 -IBS - "$2.tar" "$2" <<'PYTHON'
import hashlib, json, os, shutil, sys
blobs = os.path.join(sys.argv[2], "blobs/sha256")
os.makedirs(blobs)
kind = "application/vnd.oci.image."
def describe(path, media_type):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    found = {"mediaType": media_type, "digest": "sha256:" + digest.hexdigest(), "size": os.path.getsize(path)}
    shutil.copy(path, os.path.join(blobs, digest.hexdigest()))
    return found
def blob(value, media_type):
    with open(sys.argv[2] + ".json", "w") as file:
        json.dump(value, file)
    return describe(file.name, media_type)
layer = describe(sys.argv[1], kind + "layer.v1.tar")
config = blob({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]},
               "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}, kind + "config.v1+json")
manifest = blob({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json", "config": config, "layers": [layer]},
                kind + "manifest.v1+json")
manifest["annotations"] = {"org.opencontainers.image.ref.name": "base"}
with open(os.path.join(sys.argv[2], "index.json"), "w") as file:
    json.dump({"schemaVersion": 2, "manifests": [manifest]}, file)
with open(os.path.join(sys.argv[2], "oci-layout"), "w") as file:
    json.dump({"imageLayoutVersion": "1.0.0"}, file)
PYTHON
}

change_everything() {
    cd m || return
    echo new >new && mkdir -p fresh/deep && echo new >fresh/deep/file
    echo changed >>etc/name
    chmod 600 etc/mode                            # a copy without data, where metacopy is on
    chown 5:6 moved/large
    mv moved moved-away                           # a redirect
    mv merged/deep merged/renamed && echo upper >merged/upper
    mv old-name new-name
    rm -r gone emptied/x
    rm -r opaque && mkdir opaque && echo new >opaque/file
    rm file-to-directory && mkdir file-to-directory && echo x >file-to-directory/x
    rm -r directory-to-file && echo x >directory-to-file
    ln links/a links/other-a                      # one name is a lower file's
    echo linked >linked && ln linked fresh/linked && ln linked linked-again
    setfacl -m u:99:r new && setfacl -d -m g:9:rwx fresh
    setfattr -n user.new -v $'a\nb\x01' new && setfattr -n trusted.new -v t fresh
    setfattr -x user.color etc/mode
    cp /bin/false false && setcap cap_chown+ep false
    truncate -s 24M holes && printf begin | dd of=holes conv=notrunc status=none
    printf end | dd of=holes bs=1M seek=20 conv=notrunc status=none
    truncate -s 17M hole
    mknod zero c 1 5 && mknod loop b 7 300 && mkfifo pipe && ln -s nowhere dangling && ln dangling dangling-again
    chown -h 7:8 dangling
    printf x >$'odd \xff\xe4 name' && mkdir $'n\newline' && touch "$(printf 'l%.0s' {1..255})"
    touch -d "1999-12-31 23:59:59.987654321" new fresh
    echo same >quiet/other && rm quiet/other      # the directory's time alone
    /usr/bin/python3 -IBS -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
    cd ..
}

# Without the one thing that a layer can't hold.
# shellcheck disable=SC2154 # $tests is of who sources this
dump() { "$tests/interop/treedump.py" "$1" | grep -v "^/socket "; }
field() { shale image ls --json | /usr/bin/python3 -IBS -c 'import json, sys
i = next(i for i in json.load(sys.stdin) if i["name"] == sys.argv[1]); print(eval(sys.argv[2]))' "$1" "$2"; }
# shows_the_same IMAGE DUMP: mounted, it shows what was dumped
shows_the_same() {
    shale mount "$1" m2 --read-only >/dev/null || return
    dump m2 | diff -u "$2" -
    local status=$?
    shale umount m2 >/dev/null && return $status
}
