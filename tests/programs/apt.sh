#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# apt.sh: apt-get installs twenty packages from a repository that lies in the tree, and takes them away again.

set -u
export LC_ALL=C
# shellcheck source=tests/programs/lib/tree.sh
source "$(dirname "$0")/lib/tree.sh"

open_tree apt
read -ra names <"$root/srv/repository/names"

apt() {
    inside DEBIAN_FRONTEND=noninteractive apt-get --yes --no-install-recommends -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 "$@"
}

installed() {
    inside dpkg-query --show --showformat '${db:Status-Status}\n' "$@" | grep -c '^installed$'
}

# Less what the image leaves out.
changed_files() {
    inside dpkg --verify "${names[@]}" | grep -v /usr/share/
    true
}

echo 'deb [trusted=yes] file:/srv/repository ./' >"$root/etc/apt/sources.list"
before=$(inside dpkg-query --show | wc -l)
ok "apt-get update" apt update
ok "apt-get install of ${#names[@]} packages" apt install "${names[@]}"
ok "dpkg calls all of them installed" is "${#names[@]}" installed "${names[@]}"
ok "dpkg finds nothing to complain about" is "" inside dpkg --audit
ok "their files are as packed" is "" changed_files
ok "one of them runs" is 391 inside sh -c 'echo 17 \* 23 | bc'
ok "apt-get install of them again changes nothing" prints '^0 upgraded, 0 newly installed' apt install "${names[@]}"
ok "apt-get purge takes them away, and what came along" apt purge --autoremove "${names[@]}"
ok "the packages are those of before" is "$before" sh -c "chroot '$root' dpkg-query --show | wc -l"
ok "dpkg still finds nothing to complain about" is "" inside dpkg --audit
close_tree
