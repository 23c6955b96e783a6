#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `shale run` promises, on an image that holds busybox alone. Runs in the guest, as root; speaks KTAP. Where the
# module is not loaded, it is overlayfs that mounts.

# shellcheck disable=SC2016 # what the inner shells expand

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")

# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"

export SHALE_ROOT=$scratch/store
busybox=$(command -v busybox) || skip_all "busybox is not installed"
if ldd "$busybox" >/dev/null 2>&1; then skip_all "busybox is not static"; fi

# make_busybox LAYOUT: an image of busybox and some files, tagged box; with Entrypoint and User, tagged entry; without
# anything to run, tagged nothing
make_busybox() {
    /usr/bin/python3 -IBS - "$1" "$busybox" <<'PYTHON'
import hashlib, io, json, os, sys, tarfile
blobs = os.path.join(sys.argv[1], "blobs/sha256")
os.makedirs(blobs)
kind = "application/vnd.oci.image."
def blob(data, media_type):
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(blobs, digest), "wb") as file:
        file.write(data)
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}
out = io.BytesIO()
with tarfile.open(fileobj=out, mode="w") as tar:
    def add(name, data=b"", mode=0o644, type=tarfile.REGTYPE, link=""):
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.type, member.linkname = len(data), mode, type, link
        tar.addfile(member, io.BytesIO(data))
    for name in ["bin", "etc", "home/user"]:
        add(name, mode=0o755, type=tarfile.DIRTYPE)
    add("bin/busybox", open(sys.argv[2], "rb").read(), 0o755)
    for name in "sh cat ls id pwd env mount sleep echo kill touch ps hostname readlink stat true mkdir".split():
        add("bin/" + name, type=tarfile.SYMTYPE, link="busybox")
    add("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1001::/home/user:/bin/sh\n")
    add("etc/group", b"root:x:0:\nusers:x:1001:\nmore:x:7:user\n")
    add("bin/plain", b"no program\n")
layer = blob(out.getvalue(), kind + "layer.v1.tar")
manifests = []
for tag, says in {"box": {"Env": ["COLOR=red"], "Cmd": ["/bin/sh", "-c", "echo default $COLOR"]},
                  "entry": {"Entrypoint": ["echo", "entry"], "Cmd": ["cmd"], "User": "user", "WorkingDir": "/new/dir"},
                  "nothing": {}}.items():
    config = blob(json.dumps({"architecture": "amd64", "os": "linux", "config": says,
                              "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}).encode(), kind + "config.v1+json")
    manifests.append(blob(json.dumps({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json", "config": config,
                                      "layers": [layer]}).encode(), kind + "manifest.v1+json"))
    manifests[-1]["annotations"] = {"org.opencontainers.image.ref.name": tag}
with open(os.path.join(sys.argv[1], "index.json"), "w") as file:
    json.dump({"schemaVersion": 2, "manifests": manifests}, file)
with open(os.path.join(sys.argv[1], "oci-layout"), "w") as file:
    json.dump({"imageLayoutVersion": "1.0.0"}, file)
PYTHON
}

# ends STATUS COMMAND...: with that exit status, and leaves no writable layer
ends() {
    local status=$1 actual
    shift
    "$@" >out 2>err
    actual=$?
    cat out err
    [[ $actual == "$status" ]] && no_layers
}
no_layers() { [[ $(shale snapshot ls --json) == "[]" ]] && [[ -z $(find store/{snapshots,staging} -mindepth 1) ]]; }
# says_on_stderr WORDS: the last command did
said_on_stderr() { grep -qF -- "$1" err; }
# in_background COMMAND...: with its process in $background
in_background() {
    "$@" >background 2>&1 &
    background=$!
}

make_busybox layout || give_up
echo "TAP version 13"
for name in box entry nothing; do
    shale image import "layout:$name" >/dev/null || give_up
done

ok "what the image says" shows "default red" shale run box
ok "another command" shows "hello" shale run box echo hello
ok "whose options are its own" shows "-l --json --help" shale run box echo -l --json --help
ok "an entrypoint stays" shows "entry other" shale run entry other
ok "and has its default arguments" shows "entry cmd" shale run entry
ok "variables" shows "default blue" shale run -e COLOR=blue box
ok "standard input" shows "from here" sh -c 'echo from here | shale run box cat'

ok "its status" ends 3 shale run box sh -c 'exit 3'
ok "a signal that ends it" ends 137 shale run box sh -c 'kill -9 $$'
ok "no such program" ends 127 shale run box nosuch
ok "is named" said_on_stderr "nosuch: No such file"
ok "what is no program" ends 126 shale run box /etc/passwd
ok "is named, too" said_on_stderr "/etc/passwd: Permission denied"
ok "an unknown image" ends 125 shale run nosuch
ok "nothing to run" ends 125 shale run nothing
ok "says so" said_on_stderr "does not say what to run"
ok "an unknown user" ends 125 shale run -u nosuch box true
ok "a variable that is none is wrong usage" ends 2 shale run -e COLOR box true

ok "the user of the image, with groups" shows "uid=1000(user) gid=1001(users) groups=7(more)" shale run -u user box id
ok "by number, with a group" shows "1000 7" shale run -u 1000:more box sh -c 'echo $(id -u) $(id -g)'
ok "the home of the user" shows "/home/user" shale run -u user box sh -c 'echo $HOME'
ok "a directory that is not there is made" shows "/new/dir" shale run -w /new/dir box pwd
ok "a directory to start in" shows "/home/user" shale run -w /home/user box pwd

ok "processes of its own" shows "2" shale run box sh -c 'echo $$'
ok "a name of its own" shows "yes" sh -c '[ "$(shale run box hostname)" != "$(hostname)" ] && echo yes'
ok "nothing of the former root" shows "bin dev etc home proc sys" shale run box sh -c 'echo $(ls /)'
ok "nor open directories outside" shows "0 1 2 3" shale run box sh -c 'echo $(ls /proc/self/fd)'
ok "nor the caller's variables, in the first process" shows "0" sh -c 'SECRET=word shale run box sh -c "busybox grep -c word /proc/1/environ || true"'
ok "nor files, where the caller has closed its own" shows "/dev/null" sh -c 'shale run box busybox readlink /proc/1/fd/0 <&-'
ok "a caller that ignores its children is told the status" ends 3 /usr/bin/python3 -IBS -c '
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execvp("shale", ["shale", "run", "box", "sh", "-c", "exit 3"])'
ok "devices" shows "1:3 0" shale run box sh -c 'echo $(stat -c %t:%T /dev/null) $(echo x >/dev/null; echo $?)'
ok "/sys can't be written to" shows "read-only" shale run box sh -c 'touch /sys/x 2>/dev/null || mount | busybox grep -q " on /sys type sysfs (ro," && echo read-only'
ok "and the host's mounts are as they were" sh -c 'before=$(cat /proc/self/mountinfo); shale run box mount >/dev/null; [ "$before" = "$(cat /proc/self/mountinfo)" ]'

ok "changes go" shale run box sh -c 'touch /there'
ok "with the layer" shows "no" shale run box sh -c '[ -e /there ] || echo no'
ok "or stay, with --keep" shale run --keep kept box sh -c 'echo changed >/there'
ok "and are found again" shows "changed" shale run --keep kept box cat /there
ok "in the writable layer" shows "changed" cat store/snapshots/kept/upper/there
ok "which is of one image" refuses 125 "belongs to image 'box'|" shale run --keep kept entry true
shale snapshot rm kept >/dev/null
ok "--rm and --keep exclude each other" ends 2 shale run --rm --keep kept box true
ok "--rm alone is the default" ends 0 shale run --rm box true

# --- Signals
in_background shale run box sh -c 'trap "echo got it; exit 5" TERM; echo up; while :; do sleep 0.1; done'
for _ in {1..300}; do grep -q up background && break; sleep 0.1; done
kill -TERM $background
wait $background
status=$?
ok "SIGTERM is passed on" shows $'up\ngot it' cat background
ok "and the status is the command's" test $status == 5
ok "and the layer is gone" no_layers
in_background shale run box sleep 1000
for _ in {1..300}; do [[ $(shale snapshot ls --json) != "[]" ]] && break; sleep 0.1; done
sleep 1
kill -TERM $background
wait $background
ok "SIGTERM ends what does not heed it" test $? == 143
ok "and the layer is gone then, too" no_layers
in_background shale run box sh -c 'sleep 1000 & echo up'
wait $background
ok "what it left running ends with it" no_layers

finish
