#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian's podman and buildah with their own overlay driver, on overlay.ko: images are built of local files, run,
# changed, compared, committed and removed. All that both say of what they do is kept and looked through at the end.
# Runs in the guest; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")

echo "TAP version 13"
if [[ ${SHALE_MODULE:-shale} != overlay ]]; then
    echo "1..0 # SKIP the module under test is not loaded as overlay"
    exit 0
fi

scratch=$(mktemp -d "${SHALE_SCRATCH:-/scratch}/podman.XXXXXX") || exit 1
cd "$scratch" || exit
readonly graph=$scratch/graph said=$scratch/said
clean_up() {
    command podman rm --all --force --time 0 >/dev/null 2>&1
    cd /
    umount -q -R "$graph/overlay"
    rm -rf --one-file-system "$scratch"
}
trap clean_up EXIT

# No word about how overlay is to be used: that is what a new installation has.
cat >storage.conf <<END
[storage]
driver = "overlay"
graphroot = "$graph"
runroot = "$scratch/run"
END
# There is neither systemd nor a network in the guest.
cat >containers.conf <<'END'
[containers]
log_driver = "k8s-file"
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "crun"
END
export CONTAINERS_STORAGE_CONF=$scratch/storage.conf CONTAINERS_CONF=$scratch/containers.conf TMPDIR=$scratch/tmp
mkdir tmp

podman() {
    command podman --log-level=debug "$@" 2>>"$said"
}

buildah() {
    command buildah --log-level=debug "$@" 2>>"$said"
}

ktap_log=$scratch/log
# shellcheck source=tests/ktap.sh
source "$tests/ktap.sh"

# try NAME COMMAND...: one test. If it fails, the end of what the engines said is shown, too.
try() {
    ok "$@" || tail -n 20 "$said" | sed 's/^/# /'
}

# prints EXPECTED COMMAND...: exactly that
prints() {
    local expected=$1
    shift
    diff -u <(printf '%s\n' "$expected") <("$@")
}

# --- The images ------------------------------------------------------------------

make_context() {
    mkdir -p context/data/{dir,tree/sub,opaque} &&
        cp /bin/busybox context/ &&
        echo kept >context/data/kept && echo gone >context/data/gone && echo file >context/data/file &&
        echo inner >context/data/dir/inner && echo deep >context/data/tree/sub/deep &&
        echo old >context/data/opaque/old && ln context/data/kept context/data/linked &&
        cat >context/Containerfile <<'END'
FROM scratch
COPY busybox /bin/busybox
COPY data /data
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN rm /data/gone && mv /data/file /data/renamed
RUN mv /data/dir /data/moved && rm -r /data/tree
RUN rm -r /data/opaque && mkdir /data/opaque && echo new >/data/opaque/new && chmod 700 /data/kept
CMD ["/bin/sh"]
END
}

readonly built=$'/data
/data/kept
/data/linked
/data/moved
/data/moved/inner
/data/opaque
/data/opaque/new
/data/renamed'

builds() {
    make_context && buildah bud --layers --network none -t localhost/first context
}

podman_runs_what_buildah_built() {
    prints "$built" podman run --rm --network none localhost/first sh -c 'find /data | sort' &&
        prints $'kept\nfile\ninner\nnew' podman run --rm --network none localhost/first \
            sh -c 'cd /data && cat kept renamed moved/inner opaque/new'
}

# The layers as they leave the machine: what was removed is a name in the archive.
names_in_layers() {
    local blob
    podman save --quiet --format oci-archive -o saved.tar localhost/first &&
        mkdir saved && tar -C saved -xf saved.tar || return
    for blob in saved/blobs/sha256/*; do
        tar -tf "$blob" 2>/dev/null || true     # some are no layers
    done
}

exports_whiteouts() {
    local names name
    names=$(names_in_layers) || return
    for name in data/.wh.gone data/.wh.file data/.wh.dir data/.wh.tree data/opaque/.wh..wh..opq; do
        grep -qxF "$name" <<<"$names" && continue
        printf '%s\n' "no $name in:" "$names"
        return 1
    done
}

# --- Containers ------------------------------------------------------------------

starts_two() {
    local name
    for name in one two; do
        podman run --detach --network none --name "$name" localhost/first sleep 100000 || return
    done
    prints 2 grep -c " $graph/overlay/.*/merged overlay " /proc/self/mounts
}

keeps_two_apart() {
    podman exec one sh -c 'echo one >/data/own && rm /data/renamed && echo more >>/data/kept' &&
        podman exec two sh -c 'echo two >/data/own' &&
        prints $'one\nkept\nmore' podman exec one sh -c 'cat /data/own /data/kept' &&
        prints $'two\nkept\nfile' podman exec two sh -c 'cat /data/own /data/kept /data/renamed'
}

changes_below_data() {
    podman diff "$1" | grep ' /data' | LC_ALL=C sort
}

tells_differences() {
    prints $'A /data/own\nC /data\nC /data/kept\nD /data/renamed' changes_below_data one &&
        prints $'A /data/own\nC /data' changes_below_data two
}

commits() {
    podman commit --quiet one localhost/second &&
        prints $'one\nkept\nmore' podman run --rm --network none localhost/second sh -c 'cat /data/own /data/kept' &&
        podman run --rm --network none localhost/second sh -c '! test -e /data/renamed'
}

starts_again() {
    podman stop --time 0 one && podman start one &&
        prints one podman exec one cat /data/own
}

# Of layers whose owners are mapped nobody has to make a copy with other owners.
maps_ids() {
    prints $'0 0\nwritten 0' podman run --rm --network none --uidmap 0:100000:65536 localhost/first \
        sh -c 'stat -c "%u %g" /data/moved/inner; echo written >/data/kept; echo $(cat /data/kept) $(stat -c %u /data/kept)' &&
        grep "mount_data=.*lowerdir=$graph/overlay/[^:]*/mapped/" "$said"
}

removes_everything() {
    podman rm --all --force --time 0 && podman rmi --all --force &&
        [[ -z $(podman images --quiet) ]] &&
        ! ls -d "$graph"/overlay/*/diff &&
        ! grep " $graph/overlay/.* overlay " /proc/self/mounts
}

# --- What they said ----------------------------------------------------------------

uses_overlay() {
    prints "overlay true true extfs" podman info --format \
        '{{.Store.GraphDriverName}} {{index .Store.GraphStatus "Native Overlay Diff"}} {{index .Store.GraphStatus "Supports d_type"}} {{index .Store.GraphStatus "Backing Filesystem"}}' &&
        prints "map[]" podman info --format '{{.Store.GraphOptions}}'
}

# Who says nothing of it has not looked.
says_nothing_of_a_slow_diff() {
    grep -m 1 'useNativeDiff=true' "$said" &&
        ! grep -iE 'useNativeDiff=false|not using native diff|native-diff is not|naive|degraded' "$said" &&
        ! grep -iE 'level=(warning|error|fatal).*(overlay|mount|diff)' "$said"
}

try "podman info: driver overlay, native diff" uses_overlay
try "buildah bud: an image of local files, a layer per line" builds
try "podman run shows what was built" podman_runs_what_buildah_built
try "podman save: whiteouts are in the layers" exports_whiteouts
try "podman run: two containers of one image at once" starts_two
try "podman exec: each has changes of its own" keeps_two_apart
try "podman diff tells what each has changed" tells_differences
try "podman commit: the changes are in the new image" commits
try "podman stop, podman start: the changes are still there" starts_again
try "podman run --uidmap: owners are mapped" maps_ids
try "podman rm, podman rmi: nothing is left" removes_everything
try "neither podman nor buildah said a word of a slow diff" says_nothing_of_a_slow_diff

finish
