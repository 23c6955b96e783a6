#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# git.sh: clone, commit, push, gc and fsck of a repository of 5,000 files and 300 commits.

set -u
export LC_ALL=C
# shellcheck source=tests/programs/lib/tree.sh
source "$(dirname "$0")/lib/tree.sh"

open_tree git
bare=/srv/git/repository clone=/srv/git/clone

# git_in DIR ARGUMENT...
git_in() {
    inside git -c safe.directory='*' -c user.name=Somebody -c user.email=somebody@localhost -C "$@"
}

# Its objects are hard links to those of the lower layer.
clone_is_linked() {
    local object
    object=$(cd "$root$bare" && find objects -name '*.pack' | head -n 1)
    [[ -n $object && $root$bare/$object -ef $root$clone/.git/$object ]]
}

count_files() {
    git_in "$1" ls-files | wc -l
}

# Some 550 files: changed, new, renamed, removed, and one that is made executable.
commit_changes() {
    local dir
    for dir in "$root$clone"/part0{0,1,2,3}/; do
        find "$dir" -type f -exec sed -i '1s/^/changed: /' {} +
    done
    mkdir "$root$clone/new" && seq 1000 >"$root$clone/new/file" && chmod 755 "$root$clone/part04/sub4/file0004.txt" &&
        git_in $clone mv part05 renamed && git_in $clone rm -q -r part06 && git_in $clone add --all &&
        git_in $clone commit -q -m "many changes" && git_in $clone commit -q --allow-empty -m "none"
}

checkout_back_and_forth() {
    git_in $clone checkout -q HEAD~100 && git_in $clone checkout -q main
}

is_clean() {
    is "" git_in "$1" status --porcelain
}

same_commit() {
    is "$(git_in $bare rev-parse main)" git_in "$1" rev-parse HEAD
}

ok "fsck of the lower layer's repository" git_in $bare fsck --full --strict
ok "clone" inside git -c safe.directory='*' clone -q $bare $clone
ok "the clone's objects are hard links" clone_is_linked
ok "it has 5000 files" is 5000 count_files $clone
ok "and 300 commits" is 300 git_in $clone rev-list --count HEAD
ok "nothing in it counts as changed" is_clean $clone
ok "commit" commit_changes
ok "nothing counts as changed after that" is_clean $clone
ok "push to the lower layer's repository" git_in $clone push -q origin main
ok "both have the same commit" same_commit $clone
ok "checkout of an old commit and back" checkout_back_and_forth
ok "nothing counts as changed still" is_clean $clone
ok "gc of the clone" git_in $clone gc -q --prune=now
ok "gc of the lower layer's repository" git_in $bare gc -q --prune=now
ok "fsck of the clone" git_in $clone fsck --full --strict
ok "fsck of the lower layer's repository again" git_in $bare fsck --full --strict
ok "it has 302 commits" is 302 git_in $bare rev-list --count main
ok "a clone to the base alone" inside git -c safe.directory='*' clone -q --no-local $bare /mnt/clone
ok "has the same commit" same_commit /mnt/clone
ok "and the same files" diff -r --exclude=.git "$root$clone" "$volume/clone"
close_tree
