#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes the image of the demo on the host, once, and keeps it in the cache:
#
#   ${SHALE_CACHE:-~/.cache/shale}/demo/KEY/image/      OCI image layout, tag "demo", five layers
#   ${SHALE_CACHE:-~/.cache/shale}/demo/KEY/extra.deb   a package to install inside the mounted image
#   ${SHALE_CACHE:-~/.cache/shale}/demo/KEY/extra.name  its name
#
# The last line on standard output is that directory; progress goes to standard error. KEY covers this script, the
# suite and the architecture: whoever changes the recipe gets a new image. A directory appears whole (by rename) or
# not at all.

set -euo pipefail

suite=bookworm
extra=tree		# one more real package, for the guest to install; must need nothing but libc6

say() { printf 'prepare: %3ds  %s\n' "$SECONDS" "$*" >&2; }
die() { printf 'prepare: %s\n' "$*" >&2; exit 1; }

# Runs a command silently; if it fails, shows the end of what it said.
quietly() {
	local log=$new/log
	"$@" >"$log" 2>&1 && return
	tail -n 30 "$log" >&2
	die "failed: ${*:0:4} ..."
}

# The Debian part of the host's own package sources, as lines for sources.list. apt answers for both forms of its
# configuration (sources.list and deb822), so that no mirror is named here.
host_sources() {
	apt-get indextargets --format \
		'$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' |
		awk -F '|' -v suite="$suite" '
			$1 == "Debian" && index($2, suite) == 1 && !seen[$0]++ { print "deb", $3, $4, $5 }'
}

# Layer 1: a minimal Debian. What nobody reads in a demo (manuals, translations) stays out, because the guest that
# unpacks it may be an emulated one. The packages of layer 2 are fetched meanwhile, with the same package lists.
make_base() {
	local sources=$new/sources.list apt_options=() proxy
	host_sources >"$sources"
	[[ -s $sources ]] ||
		die "apt knows no Debian $suite source; run 'apt-get update', or add one to /etc/apt/sources.list"
	proxy=$(apt-config dump Acquire::http::Proxy) # such as a caching proxy on the local network
	[[ -z $proxy ]] || apt_options+=(--aptopt="$proxy")
	mkdir "$new/debs" "$new/tmp"

	TMPDIR=$new/tmp DEBS=$new/debs EXTRA=$extra quietly mmdebstrap --mode=root --variant=minbase \
		--architectures="$(dpkg --print-architecture)" "${apt_options[@]}" \
		--aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/zoneinfo/right/*' --dpkgopt='path-exclude=/usr/share/zoneinfo/posix/*' \
		--customize-hook='rm -f "$1"/var/cache/apt/archives/*.deb' \
		--customize-hook='APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --yes --download-only --no-install-recommends \
			install python3-minimal "$EXTRA"' \
		--customize-hook='mv "$1"/var/cache/apt/archives/*.deb "$DEBS"' \
		--customize-hook='rm -f "$1/etc/apt/sources.list"' \
		"$suite" "$new/base.tar" - <"$sources"
	mv "$new/debs/${extra}"_*.deb "$new/extra.deb"
	echo "$extra" >"$new/extra.name"

	umoci init --layout "$new/image"
	umoci new --image "$new/image:demo"
	quietly umoci raw add-layer --image "$new/image:demo" --history.comment "Debian $suite" "$new/base.tar"
}

repack() {
	quietly umoci repack --refresh-bundle --history.comment "$1" --image "$new/image:demo" "$new/bundle"
}

# Packs a directory as the next layer. (umoci insert would do so in one step, but leaves the end of the tar file out.)
add_layer() {
	quietly tar --create --file "$1.tar" --numeric-owner --sort=name --format=posix --xattrs --directory "$1" .
	quietly umoci raw add-layer --image "$new/image:demo" --history.comment "$2" "$1.tar"
}

# Layer 2: packages on top.
add_packages() {
	local root=$new/bundle/rootfs
	quietly umoci unpack --image "$new/image:demo" "$new/bundle"
	mkdir "$root/debs"
	cp "$new"/debs/*.deb "$root/debs"
	quietly chroot "$root" sh -c 'DEBIAN_FRONTEND=noninteractive apt-get --yes -o Dpkg::Use-Pty=0 \
		-o APT::Sandbox::User=root -o Dir::Cache::pkgcache="" -o Dir::Cache::srcpkgcache="" \
		install /debs/*.deb'
	rm -r "$root/debs"
	repack "python3-minimal"
}

# Layer 3: single files and a whole directory deleted, which become whiteouts.
delete_files() {
	local root=$new/bundle/rootfs
	rm -r "$root/usr/share/zoneinfo/Antarctica" "$root/usr/share/bug" "$root/etc/cron.daily"
	rm "$root/etc/issue.net" "$root/usr/share/zoneinfo/Zulu"
	rm -f "$root"/var/log/*.log "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old
	repack "files deleted"
}

# Layer 4: a directory replaced; what the layers below have in it must not shine through.
replace_directory() {
	local skel=$new/replaced/etc/skel
	mkdir -p "$skel"
	touch "$skel/.wh..wh..opq" # OCI's mark for it
	echo '# Each new user of this image starts with this file alone.' >"$skel/.profile"
	add_layer "$new/replaced" "/etc/skel replaced"
}

# Layer 5: an application.
add_application() {
	local app=$new/application/srv/app
	mkdir -p "$app/data"
	cat >"$app/wordcount.py" <<'PYTHON'
#!/usr/bin/python3
"""Counts the words of the text files in data/ and writes the result beside them."""
import collections
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
words = collections.Counter()
for name in sorted(os.listdir(os.path.join(here, "data"))):
    if name.endswith(".txt"):
        with open(os.path.join(here, "data", name), encoding="utf-8") as text:
            words.update(text.read().lower().split())

with open(os.path.join(here, "data", "result"), "w", encoding="utf-8") as result:
    for word, count in sorted(words.items(), key=lambda item: (-item[1], item[0])):
        print(count, word, file=result)

print(f"python {sys.version.split()[0]}: {sum(words.values())} words, {len(words)} different")
PYTHON
	echo 'a layer upon a layer upon a layer' >"$app/data/layers.txt"
	echo 'one tree of many layers' >"$app/data/tree.txt"
	chmod 755 "$app/wordcount.py"
	ln "$app/data/tree.txt" "$app/data/same-file.text"
	/usr/bin/python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.licence", b"GPL-2.0-or-later")' "$app/wordcount.py"
	add_layer "$new/application" "application"
	quietly umoci config --no-history --config.cmd /srv/app/wordcount.py --config.workingdir /srv/app \
		--image "$new/image:demo"
}

tidy() {
	rm -rf --one-file-system "$new"
}

main() {
	local cache key
	(( EUID == 0 )) || die "making an image needs root: chroot, device nodes and owners"
	cache=${SHALE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/shale}/demo
	key=$({ cat "$0"; echo "$suite"; dpkg --print-architecture; } | sha256sum | cut -c 1-16)
	mkdir -p "$cache"

	exec 9>"$cache/lock"
	flock 9 # a second run waits for the first and then finds its image
	if [[ ! -d $cache/$key ]]; then
		rm -rf --one-file-system "$cache"/new.* # of a run that was killed
		new=$(mktemp -d "$cache/new.XXXXXX")
		trap tidy EXIT
		trap 'exit 130' INT
		trap 'exit 143' TERM
		chmod 755 "$new"
		say "making an image, once: Debian $suite, about 40 MB to fetch"
		make_base
		say "layer 1: the minimal system"
		add_packages
		say "layer 2: packages"
		delete_files
		say "layer 3: deletions"
		replace_directory
		say "layer 4: a replaced directory"
		add_application
		say "layer 5: an application"
		quietly umoci gc --layout "$new/image"
		rm -rf --one-file-system "$new"/{*.tar,bundle,debs,tmp,replaced,application,sources.list,log}
		mv "$new" "$cache/$key"
		say "image kept in $cache/$key ($(du -sh "$cache/$key" | cut -f 1))"
	fi
	echo "$cache/$key"
}

# A mount namespace of its own: whatever the package tools mount goes away with this process, however it ends.
if [[ ${1-} != --in-namespace ]]; then
	exec unshare --mount --propagation private "$0" --in-namespace
fi
main
