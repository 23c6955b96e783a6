#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# fio.sh: fio's verify jobs by each engine, buffered and, where the base has it, direct: on files of the lower layer, whose
# blocks carry checksums, and on new ones. The same on the base alone, always: what fails there, too, is no error of ours.
#
#   SHALE_PROGRAMS_FIO_SIZE     of the new files, each (default 4m)

set -u
export LC_ALL=C
# shellcheck source=tests/programs/lib/tree.sh
source "$(dirname "$0")/lib/tree.sh"

size=${SHALE_PROGRAMS_FIO_SIZE:-4m}
kinds=(buffered-sync buffered-libaio buffered-io_uring buffered-mmap buffered-splice direct-sync direct-libaio direct-io_uring)
open_tree fio
cp -a "$root/srv/fio" "$volume/fio"     # on the base

# jobs STEP: a job for each kind, named like its file, all at the same time
jobs() {
    local kind new=
    [[ $1 != new-* ]] || new=new-
    printf '[global]\nthread\nbs=4k\nverify=crc32c\nverify_fatal=1\nfilename_format=$jobname\n'
    case $1 in
    read-*) printf 'rw=read\nsize=4m\n' ;;
    change-*) printf 'rw=randwrite\nsize=4m\nio_size=2m\nnorandommap=0\n' ;;
    new-*) printf 'rw=randwrite\nsize=%s\nverify_backlog=64\n' "$size" ;;
    esac
    for kind in "${kinds[@]}"; do
        printf '[%s]\nioengine=%s\ndirect=%d\niodepth=8\n' "$new$kind" "${kind#*-}" "$([[ $kind == direct-* ]]; echo $((! $?)))"
    done
}

# run STEP DIR RESULTS: a line for each job, its name and the error's number
run() {
    jobs "$1" >"$root/srv/jobs.$3"
    inside fio --directory="$2" --output-format=json --output="/srv/$3" "/srv/jobs.$3"
    /usr/bin/python3 -IBS -c '
import json, sys
text = open(sys.argv[1]).read()
for job in json.loads(text[text.index("{"):])["jobs"]:
    print(job["jobname"], job["error"], job["read"]["total_ios"], job["write"]["total_ios"])' "$root/srv/$3" >"$work/$3"
}

# no_error RESULTS JOB: it did something, without an error
no_error() {
    grep -E "^$2 " "$work/$1" | tee /dev/stderr | grep -qE "^$2 0 ([1-9]|0 [1-9])"
}

# step STEP TITLE: on the base and in the merged tree
step() {
    local kind new=
    [[ $1 != new-* ]] || new=new-
    run "$1" /mnt/fio base >"$work/base.said" 2>&1
    run "$1" /srv/fio merged >"$work/merged.said" 2>&1
    for kind in "${kinds[@]}"; do
        if no_error merged "$new$kind" 2>/dev/null || no_error base "$new$kind" 2>/dev/null; then
            ok "$2: $kind" no_error merged "$new$kind" || sed 's/^/# /' "$work/merged.said"
        else
            skip "$2: $kind" "fails on the base alone, too: $(grep -h "$kind" "$work/base" "$work/base.said" | head -n 1)"
        fi
    done
}

step read-lower "the lower layer's file is right"
step change-lower "half of its blocks written and verified"
ok "it is copied up" in_upper srv/fio/direct-sync
step read-changed "all of its blocks are right, old and new"
step new-files "a new file written and verified meanwhile"
step read-again "the file that was changed is right still"
close_tree
