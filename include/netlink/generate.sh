#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Generates what the family's YAML describes: the uapi header, the kernel's policies and docs/netlink.md.
#
#   include/netlink/generate.sh LINUX-SOURCE [--check]
#
# LINUX-SOURCE is an unpacked kernel source tree of 6.12 or later (its tools/net/ynl makes the
# files). With --check nothing is written; the exit status is 1 when a committed file is not
# what the YAML gives.
set -euo pipefail

source_tree=$(realpath "$1")
check=${2:-}
top=$(realpath "$(dirname "$0")/../..")

# The generator wants a kernel tree around the spec, and names the spec relative to it.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/include/netlink"
touch "$tree/MAINTAINERS"
cp "$source_tree/Documentation/netlink/genetlink.yaml" "$tree/include/"
cp "$top/include/netlink/shale.yaml" "$tree/include/netlink/"

status=0
# What was generated as $2 is, or becomes, the committed file $1.
take() {
	if [ "$check" = --check ]; then
		diff -u "$top/$1" "$2" || { echo "$1 is not current: run include/netlink/generate.sh" >&2; status=1; }
	else
		cp "$2" "$top/$1"
	fi
}

generate() { # FILE MODE KIND
	local file=$1 out=$tree/${1##*/}
	python3 "$source_tree/tools/net/ynl/ynl-gen-c.py" \
		--spec "$tree/include/netlink/shale.yaml" --mode "$2" "--$3" -o "$out" </dev/null
	take "$file" "$out"
}
generate include/uapi/linux/shale.h uapi header
generate kmod/control/netlink_gen.h kernel header
generate kmod/control/netlink_gen.c kernel source

python3 "$top/include/netlink/document.py" "$top/include/netlink/shale.yaml" "$top/docs/examples/netlink" \
	>"$tree/netlink.md"
take docs/netlink.md "$tree/netlink.md"
exit $status
