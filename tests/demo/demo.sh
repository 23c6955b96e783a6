#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# demo.sh DIR: imports the image in DIR (made by prepare.sh), mounts it, changes it, unmounts it, and checks after
# each step that what should have happened did. Wants root, the module loaded and `shale` on PATH: `./run demo`
# gives it all three inside a virtual machine. It works below /scratch if there is one, else below /var/tmp.

set -euo pipefail
export LC_ALL=C

(( $# == 1 )) || { echo "usage: $0 DIR-MADE-BY-PREPARE" >&2; exit 2; }
input=$(realpath "$1")
extra=$(<"$input/extra.name")
if [[ -d /scratch ]]; then
	work=/scratch/demo
	mkdir "$work"
else
	work=$(mktemp -d /var/tmp/shale-demo.XXXXXX)
fi
export SHALE_ROOT=$work/store
merged=$work/merged
second=$work/second
volume=$work/volume
steps=0

bold='' plain=''
[[ ! -t 1 ]] || { bold=$'\e[1m' plain=$'\e[0m'; }

# Says what comes next and why.
step() { steps=$((steps + 1)); printf '\n%s%d. %s%s\n' "$bold" "$steps" "$*" "$plain"; }

# Digests short enough to read.
short() { sed -E 's/([0-9a-f]{12})[0-9a-f]{52}/\1/g'; }

# Shows a command and runs it, its output indented.
run() {
	short <<<"   $ $*"
	"$@" 2>&1 | short | sed 's/^/     /'
}

# check WHAT COMMAND...: the demo goes on only if the command succeeds.
check() {
	local what=$1 output
	shift
	if output=$("$@" 2>&1); then
		printf '   ok: %s\n' "$what"
	else
		printf '   FAILED: %s\n   $ %s\n%s\n' "$what" "$*" "$output"
		exit 1
	fi
}

not() { ! "$@"; }
same() { [[ $1 == "$2" ]] || { diff <(echo "$1") <(echo "$2"); return 1; }; }
exists() { [[ -e $1 || -L $1 ]]; }
xattr() { /usr/bin/python3 -c 'import os, sys; print(os.getxattr(sys.argv[2], sys.argv[1]).decode())' "$@"; }
has_line() { grep -qxF -- "$2" <<<"$1" || { echo "no line '$2' in:"; echo "$1"; return 1; }; }
has() { [[ $1 == *"$2"* ]] || { echo "no '$2' in:"; echo "$1"; return 1; }; }

# digest TREE...: a line per tree, with a digest over names, types, modes, owners, xattrs, ACLs, contents, and the times of content
# and of inode (ctime), which nobody can set back.
digest() { digest_without atime "$@"; }

# digest_without TIME TREE...
digest_without() {
	local time=$1 tree
	shift
	for tree; do
		printf '%s %s\n' "${tree##*/}" "$(tar --create --sort=name --numeric-owner --xattrs --xattrs-include='*' --acls \
			--format=posix --pax-option="delete=$time" --warning=no-file-changed --directory "$tree" . |
			sha256sum | cut -d ' ' -f 1)"
	done
}

# The names of the image's layers in the store, the lowest first.
layer_names() {
	shale image ls --json | python3 -c '
import json, sys
for image in json.load(sys.stdin):
    if image["name"] == "demo":
        for layer in image["layers"]:
            print(layer["chain_id"].removeprefix("sha256:"))'
}

show_digests() {
	local layer sum
	while read -r layer sum; do
		printf '     layer %s   %s\n' "${layer:0:12}" "$sum"
	done <<<"$1"
}

leave() {
	local status=$?
	umount "$merged/srv/volume" "$merged/proc" 2>/dev/null || true
	umount "$merged" "$second" 2>/dev/null || true
	rm -rf --one-file-system "$work"
	(( status == 0 )) || printf '\nThe demo failed in step %d, after %d s.\n' "$steps" "$SECONDS"
}
trap leave EXIT

# ---------------------------------------------------------------------------------------------------------------------

step "Import an OCI image: each layer becomes a plain directory, its digest checked on the way."
run shale image import "$input/image:demo" --name demo
run shale image ls
check "the image is listed" has "$(shale image ls)" demo
mapfile -t layers < <(layer_names | sed "s|^|$SHALE_ROOT/layers/|")
check "its five layers are five directories" test "${#layers[@]}" = 5 -a "$(find "$SHALE_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" = 5
check "each is named by the digests of its content and of what lies below" test -d "${layers[0]}" -a -d "${layers[4]}"
before=$(digest "${layers[@]}")
echo "   digest of each layer, to be compared at the end:"
show_digests "$before"

step "Mount it: the layers go to the kernel as directory descriptors over netlink, a new writable layer on top."
mkdir "$merged" "$second" "$volume"
run shale mount demo "$merged" --name first
check "the kernel says it is a shale mount" same "$(findmnt -n -o FSTYPE "$merged")" shale
run shale mounts
check "the kernel lists it over netlink" has "$(shale mounts)" "$merged"
upper=$SHALE_ROOT/snapshots/first/upper
check "its writable layer is empty" test -z "$(ls -A "$upper")"

step "Look at it: five layers are one tree, in which upper layers hide what lies below."
check "layer 1, the system, shows" test -x "$merged/bin/bash"
check "layer 2, packages, shows" test -x "$merged/usr/bin/python3"
check "a file deleted in layer 3 is gone" not exists "$merged/etc/issue.net"
check "a directory deleted in layer 3 is gone" not exists "$merged/usr/share/zoneinfo/Antarctica"
check "the rest of that directory is there" exists "$merged/usr/share/zoneinfo/Europe/Vienna"
check "no whiteout shows" not grep -E 'Antarctica|Zulu|\.wh\.' <(ls -A "$merged/usr/share/zoneinfo")
check "the directory replaced in layer 4 has its new file alone" same "$(ls -A "$merged/etc/skel")" .profile
check "layer 5, the application, shows with its extended attribute" \
	same "$(xattr user.licence "$merged/srv/app/wordcount.py")" GPL-2.0-or-later
check "its hard link is one file with two names" test "$merged/srv/app/data/tree.txt" -ef "$merged/srv/app/data/same-file.text"

step "Go inside with chroot and ask the package manager whether its files are in order."
mount -t proc proc "$merged/proc"
run chroot "$merged" cat /etc/debian_version
check "dpkg --audit finds nothing to complain about" same "$(chroot "$merged" dpkg --audit 2>&1)" ""

step "Install one more real package: dpkg unpacks, renames and syncs, and all of it lands in the writable layer."
cp "$input/extra.deb" "$merged/tmp/"
run chroot "$merged" dpkg --install /tmp/extra.deb
rm "$merged/tmp/extra.deb"
check "dpkg calls it installed" \
	same "$(chroot "$merged" dpkg-query -W -f '${db:Status-Status}' "$extra")" installed
check "dpkg --audit is still content" same "$(chroot "$merged" dpkg --audit 2>&1)" ""
check "dpkg --verify finds its files as packed" same "$(chroot "$merged" dpkg --verify "$extra" 2>&1 | grep -v /usr/share/ || true)" ""
check "the program lies in the writable layer" test -x "$upper/usr/bin/$extra"
run chroot "$merged" "$extra" /srv/app

step "Run the image's Python program: it reads files of a lower layer and writes a new one beside them."
run chroot "$merged" /srv/app/wordcount.py
check "it counted right" same "$(head -n 2 "$merged/srv/app/data/result")" "3 a"$'\n'"3 layer"
check "its result lies in the writable layer" test -f "$upper/srv/app/data/result"
check "the text that it read was not copied up" not exists "$upper/srv/app/data/layers.txt"

step "Change things: append, chmod, delete, replace, rename. Lower layers must not notice."
echo "one more line" >>"$merged/srv/app/data/layers.txt"
chmod 700 "$merged/srv/app/wordcount.py"
rm "$merged/etc/issue"
rm -r "$merged/usr/share/zoneinfo/Arctic"
mv "$merged/etc/debian_version" "$merged/etc/version"
mkdir "$merged/srv/draft"
echo hello >"$merged/srv/draft/note"
mv "$merged/srv/draft" "$merged/srv/final"
rm -r "$merged/etc/skel"
mkdir "$merged/etc/skel"
touch "$merged/etc/skel/.hushlogin"
echo "   (appended to, chmod, rm, rm -r, mv of a file and of a new directory, rm -r and mkdir again)"
check "the appended file has old and new lines" \
	same "$(<"$merged/srv/app/data/layers.txt")" "a layer upon a layer upon a layer"$'\n'"one more line"
check "the changed mode shows, the extended attribute came along" \
	same "$(stat -c %a "$merged/srv/app/wordcount.py") $(xattr user.licence "$merged/srv/app/wordcount.py")" \
	"700 GPL-2.0-or-later"
check "the deleted file is gone" not exists "$merged/etc/issue"
check "the deleted directory is gone" not exists "$merged/usr/share/zoneinfo/Arctic"
check "the renamed file has only its new name" \
	test -s "$merged/etc/version" -a ! -e "$merged/etc/debian_version"
check "the renamed directory has only its new name" \
	test -s "$merged/srv/final/note" -a ! -e "$merged/srv/draft"
check "the directory made anew shows nothing of the old one" same "$(ls -A "$merged/etc/skel")" .hushlogin
check "on disk the deletion is a character device 0:0, as in overlayfs" \
	same "$(stat -c '%F %t:%T' "$upper/etc/issue")" "character special file 0:0"
check "on disk the new directory is marked opaque, as in overlayfs" \
	same "$(xattr trusted.overlay.opaque "$upper/etc/skel")" y

step "Bind-mount a volume into the tree and write through it: this must reach the volume and no layer."
mkdir "$merged/srv/volume"
unchanged=$(digest "$upper")
run mount --bind "$volume" "$merged/srv/volume"
chroot "$merged" sh -c 'echo kept > /srv/volume/state && mkdir /srv/volume/logs && mv /srv/volume/state /srv/volume/logs/'
check "the volume has what was written" same "$(<"$volume/logs/state")" kept
check "the writable layer is the same, to the digest" same "$(digest "$upper")" "$unchanged"
run umount "$merged/srv/volume"
check "without the volume its mount point is empty" same "$(ls -A "$merged/srv/volume")" ""
umount "$merged/proc"

step "Ask what the writable layer changes: A adds, C changes, D deletes."
differences=$(shale diff first)
grep -v ' /var/' <<<"$differences" | sed 's/^/     /' || true
for line in "A /usr/bin/$extra" "A /srv/app/data/result" "C /srv/app/data/layers.txt" "C /srv/app/wordcount.py" \
	"D /etc/issue" "D /usr/share/zoneinfo/Arctic" "D /etc/debian_version" "A /etc/version" "A /srv/final/note" \
	"D /etc/skel/.profile" "A /etc/skel/.hushlogin" "A /srv/volume"; do
	check "it lists $line" has_line "$differences" "$line"
done
check "it does not list what was only read" not grep -q '/srv/app/data/tree.txt' <<<"$differences"
check "it does not list what came and went" not grep -q 'extra.deb\|/srv/draft' <<<"$differences"

step "Mount the same image a second time, beside the first: the lower layers are shared, the writable ones are not."
run shale mount demo "$second" --name second
check "the second mount has not what the first one changed" \
	test -e "$second/etc/issue" -a ! -e "$second/srv/final" -a ! -e "$second/usr/bin/$extra"
echo first >"$merged/srv/mine"
echo second >"$second/srv/mine"
rm "$second/etc/shells"
check "a file of one name is two files" same "$(<"$merged/srv/mine") $(<"$second/srv/mine")" "first second"
check "what one deletes the other keeps" test -e "$merged/etc/shells" -a ! -e "$second/etc/shells"
run shale mounts
check "the kernel lists both" test "$(shale mounts | grep -c "$work/")" = 2

step "Verify the first mount: its tree is computed from the layers alone, and each name, attribute and byte compared."
run shale verify "$merged"

step "Unmount both, mount the first again: its changes are kept."
run shale umount "$second"
run shale umount "$merged"
check "nothing is mounted" not grep -q " shale " /proc/self/mountinfo
run shale mount demo "$merged" --name first
check "the changes are back" test -s "$merged/srv/final/note" -a ! -e "$merged/etc/issue" -a -x "$merged/usr/bin/$extra"
by_shale=$(digest_without '[ac]time' "$merged")
run shale umount "$merged"

if modprobe -q overlay || grep -qw overlay /proc/filesystems; then
	step "Hand the same directories to the kernel's own overlayfs: the format is the same, so the tree must be."
	lowers=$(printf '%s\n' "${layers[@]}" | tac | paste -sd :)
	run mount -t overlay -o "redirect_dir=on,metacopy=on,lowerdir=$lowers,upperdir=$upper,workdir=${upper%/upper}/work" demo "$merged"
	check "names, modes, owners, times, attributes and contents are those that Shale showed" \
		same "$(digest_without '[ac]time' "$merged")" "$by_shale" # overlayfs notes origins, which changes ctimes
	run umount "$merged"
else
	echo "   (This kernel has no overlayfs to compare with.)"
fi

step "Compare each lower layer with what it was: names, modes, owners, times, attributes and contents."
after=$(digest "${layers[@]}")
show_digests "$after"
check "no lower layer changed" same "$after" "$before"

step "Unload the module: nothing of these mounts may be left in the kernel."
run rmmod shale
check "the kernel no longer knows the file system" not grep -qw shale /proc/filesystems

printf '\n%sThe demo is through: %d steps, all checks passed, %d s.%s\n' "$bold" "$steps" "$SECONDS" "$plain"
