#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tracepoints of the module, as docs/tracing.md describes them: read from tracefs, filtered by the kernel, and through
# trace-cmd, whose library knows nothing of them but the formats that the kernel gives.

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/ktap.sh
source "$here/../ktap.sh"

echo "KTAP version 1"
tracefs=/sys/kernel/tracing
module=${SHALE_MODULE:-shale}
[[ -e $tracefs/events ]] || mount -t tracefs tracefs $tracefs 2>/dev/null
if [[ ! -d $tracefs/events ]]; then
    echo "1..0 # SKIP this kernel has no tracefs"
    exit 0
fi

# A buffer of our own: nobody else's is touched.
trace=$tracefs/instances/shale.$$
base=$(mktemp -d "${SHALE_SCRATCH:-/scratch}/tracing.XXXXXX")
ktap_log=$base/log
cd "$base" || exit
mkdir low upper work merged low/dir

clean_up() {
    cd /
    umount "$base/merged" 2>/dev/null
    rmdir "$trace" 2>/dev/null
    rm -rf --one-file-system "$base"
}
trap clean_up EXIT

for name in opened chmodded linked large removed; do
    echo "$name" >low/dir/$name
done

# begin [EVENT [FILTER]]: from now on events, or this one, go to an empty buffer.
begin() {
    echo 0 >"$trace/events/enable" && : >"$trace/trace" || return
    [[ $# -lt 2 ]] || echo "$2" >"$trace/events/$module/$1/filter" || return
    echo 1 >"$trace/events/$module${1:+/$1}/enable"
}

# saw PATTERN...: the lines of the buffer are as many, and match in this order.
saw() {
    local -a lines
    local i status=0
    mapfile -t lines < <(sed -n 's/.*: \(shale_[a-z_]*: .*\)/\1/p' "$trace/trace")
    ((${#lines[@]} == $#)) || status=1
    for ((i = 0; i < $#; i++)); do
        [[ ${lines[i]-} =~ ^${*:i + 1:1}$ ]] || { echo "no line $((i + 1)) like: ${*:i + 1:1}"; status=1; }
    done
    ((status == 0)) || printf 'seen: %s\n' "${lines[@]}"
    return $status
}

saw_last() {
    local line
    line=$(tail -n 1 "$trace/trace")
    [[ $line =~ $1$ ]] || { echo "last is: $line"; return 1; }
}

mount_it() {
    mount -t "$module" -o lowerdir=low,upperdir=upper,workdir=work,redirect_dir=on none merged
}

# What each line has: the mount's number and its device, which is that of its directories.
of_mount() {
    local device
    device=$(stat -c %d merged)
    mount="mount [0-9]+ dev $((device >> 8)):$((device & 255))"
}

ino_of() {
    stat -c %i "merged/$1"
}

tells_of_mounts() {
    begin && mount_it && of_mount && mount -o remount,ro merged && mount -o remount,rw merged && umount merged &&
        saw "shale_mounted: $mount errno 0" "shale_changed: $mount errno 0" "shale_changed: $mount errno 0" \
            "shale_unmounted: $mount errno 0"
}

tells_of_copy_ups() {
    begin shale_copied_up && echo more >>merged/dir/opened && chmod 600 merged/dir/chmodded && ln merged/dir/linked merged/dir/second &&
        saw "shale_copied_up: $mount ino $(ino_of dir) path /dir reason change-below bytes 0 duration [0-9]+ ns" \
            "shale_copied_up: $mount ino $(ino_of dir/opened) path /dir/opened reason open bytes 7 duration [0-9]+ ns" \
            "shale_copied_up: $mount ino $(ino_of dir/chmodded) path /dir/chmodded reason attributes bytes [09] duration [0-9]+ ns" \
            "shale_copied_up: $mount ino $(ino_of dir/linked) path /dir/linked reason link bytes [07] duration [0-9]+ ns"
}

tells_of_names() {
    begin && rm merged/dir/removed && mv merged/dir merged/moved &&
        saw "shale_whited_out: $mount path /dir/removed" \
            "shale_whited_out: $mount path /dir" \
            "shale_redirected: $mount ino $(ino_of moved) path /moved redirect dir"
}

tells_of_failures() {
    begin && shale set merged --max-copy-up 1 && ! echo more 2>/dev/null >>merged/moved/large &&
        shale set merged --max-copy-up none &&
        saw "shale_changed: $mount errno 0" \
            "shale_failed: $mount ino $(ino_of moved/large) path /moved/large reason open errno 27" \
            "shale_changed: $mount errno 0"
}

# The longest path that there is, without the slash that the kernel puts before it.
cuts_long_paths() {
    local name path
    name=$(printf 'n%.0s' {1..99})
    path=$(printf "$name/%.0s" {1..40})
    mkdir -p "low/$path" && echo text >"low/$path/file" && mount_it && begin shale_copied_up &&
        echo more >>"merged/$path/file" && [[ $(grep -c shale_copied_up: "$trace/trace") == 41 ]] &&
        saw_last "shale_copied_up: .* path /${path:0:1022} reason open .*" && umount merged
}

is_filtered() {
    echo 1 >low/f1 && echo 2 >low/f2 && mount_it &&
        begin shale_copied_up 'path ~ "*2" && bytes == 2' && echo more >>merged/f1 && echo more >>merged/f2 &&
        saw "shale_copied_up: .* path /f2 reason open .*" && echo 0 >"$trace/events/$module/shale_copied_up/filter"
}

is_silent() {
    begin && echo 0 >"$trace/events/enable" && rm merged/f1 && saw
}

trace_cmd_reads() {
    trace-cmd record -q -e "$module:*" -o data rm merged/f2 &&
        trace-cmd report -i data | grep -E "rm-[0-9]+ .* shale_whited_out: +mount [0-9]+ dev [0-9]+:[0-9]+ path /f2"
}

mkdir "$trace" || exit
ok "a mount is told of, its changes, and its end" tells_of_mounts
mount_it
ok "copy-ups are told of, with path, number, reason and size" tells_of_copy_ups
ok "whiteouts and redirects are" tells_of_names
ok "what fails is, with its errno" tells_of_failures
umount merged
rm -r upper work && mkdir upper work
ok "paths of any length are told, and cut" cuts_long_paths
ok "the kernel filters them by their fields" is_filtered
ok "what is switched off is silent" is_silent
if command -v trace-cmd >/dev/null; then
    ok "trace-cmd records and shows them" trace_cmd_reads
else
    skip "trace-cmd records and shows them" "no program trace-cmd"
fi
finish
