#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# roundtrip.sh [DIR [SEED...]]: whatever Shale writes, in-tree overlayfs must show as the same tree, and the other way round.
#
# The same changes are made twice over the same lower layers, once through each driver, and these are compared:
#   - the answers of each driver to each change (done, or which error)
#   - the two merged trees
#   - each upper, shown by the driver that wrote it and by the other
#   - the two uppers as they lie on disk (treedump.py says which differences are allowed there)
#   - the lower layers before and after
# Then each driver goes on where the *other* left off, and all is compared again. At last the uppers serve as lower
# layers. Names, types, modes, owners, times, extended attributes, ACLs, contents, holes and hard links count.
#
# Wants root, /usr/bin/python3, both drivers, and DIR (default /scratch) on a file system for uppers. Prints KTAP. For trying the
# test itself: SHALE_TYPE=overlay compares overlayfs with itself.

set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
base=${1:-/scratch}
seeds="${*:2}" # of the random rounds
seeds=${seeds:-1 2 3}
shale=${SHALE_TYPE:-shale}
oracle=overlay
# Shale's defaults, and an index; overlayfs has to be asked for more of it.
declare -A options=(["overlay"]=",redirect_dir=on,metacopy=on,index=on" ["shale"]=",index=on")

echo "KTAP version 1"
if [[ ${SHALE_MODULE:-shale} == "$oracle" ]]; then
	echo "1..0 # SKIP $oracle is our module here"
	exit 0
fi
modprobe -q "$oracle"
for type in "$shale" "$oracle"; do
	if ! grep -qw "$type" /proc/filesystems; then
		echo "1..0 # SKIP this kernel has no $type"
		exit 0
	fi
done
if ! work=$(mktemp -d "$base/roundtrip.XXXXXX"); then
	echo "1..0 # SKIP cannot write to $base"
	exit 0
fi
# shellcheck source=tests/interop/lib/oracle.sh
source "$here/lib/oracle.sh"
! overlayfs_is_old || export NO_ESCAPED_MARKS=yes
trap 'umount "$work"/*/merged "$work/merged" 2>/dev/null; rm -rf --one-file-system "$work"' EXIT

tests=0
failures=0

# result STATUS NAME [FILE]: one line of KTAP, with the file as its diagnosis if it failed.
result() {
	tests=$((tests + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tests $2"
	else
		failures=$((failures + 1))
		[ -z "${3-}" ] || head -n 40 "$3" | cut -c 1-300 | sed 's/^/# /'
		echo "not ok $tests $2"
	fi
}

# same NAME ONE OTHER: two files are equal and not empty.
same() {
	[ -s "$2" ] && diff -U 0 "$2" "$3" >"$work/diff" 2>&1
	result $? "$1" "$work/diff"
}

# mounted TYPE RUN COMMAND...: runs the command with the upper of RUN mounted by driver TYPE on $work/merged.
mounted() {
	local type=$1 stack=$work/$2 status
	shift 2
	mkdir -p "$stack/upper" "$stack/work"
	mount -t "$type" -o "lowerdir=$lowers,upperdir=$stack/upper,workdir=$stack/work${options[$type]}" \
		roundtrip "$work/merged" || return
	"$@"
	status=$?
	umount "$work/merged" && return $status
}

dump() { "$here/treedump.py" "$@"; }

# change RUN TYPE NAME OPERATIONS...: lets driver TYPE make the changes in the upper of RUN, keeps its answers and the tree seen then.
change() {
	local run=$1 type=$2 name=$3
	shift 3
	changing() {
		"$here/operations.py" "$1" "$work/merged" "${@:2}" >"$work/$run.answers" || return
		dump "$work/merged" >"$work/$run.seen"
	}
	mounted "$type" "$run" changing "$@" 2>"$work/errors"
	result $? "$name: $type makes the changes" "$work/errors"
}

# The dump of a merged tree, with the times of this run (whose objects were made at one moment or another) made equal. Those
# of lower layers are years older.
timeless() {
	awk -v started="$started" '{
		for (i = 1; i <= NF; i++)
			if ($i ~ /^mtime=/ && substr($i, 7) + 0 >= started)
				$i = "mtime=now"
		print
	}' "$1"
}

# compare NAME RUN WRITER OTHER-RUN OTHER-WRITER: two runs that made the same changes, each through another driver.
compare() {
	local name=$1 run=$2 writer=$3 other=$4 reader=$5 pass
	same "$name: both answer the same" "$work/$run.answers" "$work/$other.answers"
	for pass in 1 2; do
		mounted "$writer" "$run" dump "$work/merged" >"$work/$run.again" 2>&1
		same "$name: $writer shows its own upper as before after mounting it again" "$work/$run.seen" "$work/$run.again"
		mounted "$reader" "$run" dump "$work/merged" >"$work/$run.read" 2>&1
		same "$name: $reader shows what $writer wrote as the same tree" "$work/$run.seen" "$work/$run.read"
		[ -z "$(find "$work/$run/work/work" -mindepth 1 ! -type c)" ] &&
			[ "$(find "$work/$run/work/work" -type c | wc -l)" -le 1 ]
		result $? "$name: the work directory of $writer is empty but for a whiteout"
		set -- "$name" "$other" "$reader" "$run" "$writer"
		run=$2 writer=$3 other=$4 reader=$5
	done
	timeless "$work/$run.seen" >"$work/tree.1"
	timeless "$work/$other.seen" >"$work/tree.2"
	same "$name: both made the same tree" "$work/tree.1" "$work/tree.2"
	for pass in "$run" "$other"; do
		dump --layer --now "$started" --lower "$work/lower/1" --lower "$work/lower/2" --lower "$work/lower/3" \
			"$work/$pass/upper" >"$work/$pass.disk" 2>&1
	done
	same "$name: both wrote the same upper to disk" "$work/$run.disk" "$work/$other.disk"
}
comparisons=9

# stacked RUN: the upper of RUN as the top one of four lower layers, read by both drivers.
stacked() {
	local run=$1 type
	for type in "$shale" "$oracle"; do
		mount -t "$type" -o "ro,lowerdir=$work/$run/upper:$lowers${options[$type]}" roundtrip "$work/merged" &&
			dump "$work/merged" >"$work/$type.stacked" 2>&1
		umount "$work/merged"
	done
	same "as a lower layer the upper of $run shows the same tree in both drivers" \
		"$work/$shale.stacked" "$work/$oracle.stacked"
}

# ----------------------------------------------------------------------------------------------------------------------

changes=${CHANGES:-300}
rounds=$((2 + $(wc -w <<<"$seeds")))
echo "1..$((rounds * (comparisons + 2) + 3))"

started=$(date +%s)
lowers=$work/lower/1:$work/lower/2:$work/lower/3
"$here/operations.py" lowers "$work/lower" || exit 1
dump --now "$started" "$work/lower" >"$work/lower.before"
mkdir "$work/merged"

change one "$shale" "first round" first
change other "$oracle" "first round" first
compare "first round" one "$shale" other "$oracle"

change one "$oracle" "second round, drivers swapped" second
change other "$shale" "second round, drivers swapped" second
compare "second round" one "$oracle" other "$shale"

stacked one
stacked other

for seed in $seeds; do
	change "one-$seed" "$shale" "random round $seed" random "$seed" "$changes"
	change "other-$seed" "$oracle" "random round $seed" random "$seed" "$changes"
	compare "random round $seed" "one-$seed" "$shale" "other-$seed" "$oracle"
done

dump --now "$started" "$work/lower" >"$work/lower.after"
same "no lower layer has changed" "$work/lower.before" "$work/lower.after"

echo "# $tests tests, $failures failed, $SECONDS s"
[ "$failures" = 0 ]
