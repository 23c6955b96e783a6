#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# labels-guest.sh POLICY: what labels.sh asks, in its machine; of Shale and then of overlayfs. Prints KTAP.

set -u
export LC_ALL=C
here=$(cd "${0%/*}" && pwd)
# shellcheck source=tests/ktap.sh
source "$here/../ktap.sh"

echo "KTAP version 1"

selinux=/sys/fs/selinux
mountpoint -q $selinux || mount -t selinuxfs none $selinux 2>/dev/null || skip_all "this kernel has no SELinux"
cat "$1" >$selinux/load || { echo "the policy can't be loaded"; exit 1; }
modprobe -q overlay
scratch=$(mktemp -d /scratch/labels.XXXXXX) || exit 1
ktap_log=$scratch/log
trap 'echo 0 >$selinux/enforce; cd /; umount -q "$scratch/merged"; rm -rf --one-file-system "$scratch"' EXIT
cd "$scratch" || exit 1

label() {
    chcon -h "user_u:object_r:$1" "${@:2}"
}

# is TYPE PATH...: says what is not so.
is() {
    local path found status=0
    for path in "${@:2}"; do
        found=$(stat -c %C "$path")
        [[ $found == "user_u:object_r:$1" ]] || { echo "$path: $found, not $1"; status=1; }
    done
    return $status
}

make_layers() {
    rm -rf low upper work
    mkdir -p low/dir/sub upper work merged
    printf 'old\n' | tee low/dir/{written,mode,secret,removed,moved} low/dir/linked >low/file
    ln low/dir/linked low/dir/link
    ln -s written low/dir/symlink
    mkfifo low/dir/fifo
    cp /bin/true low/program
    label dir_t low low/dir low/dir/sub
    label lower_t low/file low/program low/dir/{written,mode,removed,moved,linked,symlink,fifo}
    label secret_t low/dir/secret
    label work_t work
    label dir_t upper
}

# By the system call: mount(8) leaves labels out where the host has no SELinux.
mount_layers() {
    perl -e 'require "syscall.ph"; exit(syscall(&SYS_mount, $ARGV[0], $ARGV[1], $ARGV[2], 0, $ARGV[3]) ? 1 : 0)' \
        none merged "$type" "lowerdir=low,upperdir=upper,workdir=work,$features${1:+,$1}"
}

again() {
    umount merged && mount_layers
}

shows_labels() {
    make_layers && mount_layers && is dir_t merged/dir && is lower_t merged/dir/written && is secret_t merged/dir/secret
}

# Not what a new object gets in the work directory, where it is made.
copies_are_labelled() {
    printf 'new\n' >>merged/dir/written &&
        chmod 600 merged/dir/mode && chown -h 5 merged/dir/symlink && chown 5 merged/dir/fifo &&
        ln merged/dir/linked merged/dir/third && mv merged/dir/moved merged/moved && chmod 700 merged/dir/sub &&
        is lower_t {upper,merged}/dir/{written,mode,symlink,fifo,linked,third} {upper,merged}/moved merged/dir/link &&
        is dir_t {upper,merged}/dir/sub {upper,merged}/dir
}

new_objects_are_labelled() {
    touch merged/dir/new && mkdir merged/dir/newdir && ln -s a merged/dir/newlink && rm merged/dir/removed &&
        touch merged/dir/removed && mkdir merged/dir/newdir/deep &&
        is dir_t {upper,merged}/dir/{new,newdir,newlink,removed,newdir/deep}
}

label_is_set() {
    chcon user_u:object_r:secret_t merged/program && is secret_t {upper,merged}/program && is lower_t low/program
}

labels_stay() {
    again && is lower_t merged/dir/{written,mode,symlink,fifo,linked,third,link} merged/moved &&
        is dir_t merged/dir/{new,newdir,sub} && is secret_t merged/program
}

as_user() {
    bash -c 'printf user_u:user_r:user_t >/proc/self/attr/current && exec "$@"' bash "$@"
}

# The layers are the mounter's business, the labels that the mount shows are the user's.
user_copies_up() {
    as_user bash -c 'printf "users\n" >>merged/file' && [[ $(<merged/file) == $'old\nusers' ]] && is lower_t upper/file
}

user_creates() {
    as_user bash -c 'printf "users\n" >merged/dir/users' && is dir_t {upper,merged}/dir/users
}

user_is_refused() {
    as_user true && ! as_user cat merged/dir/secret && ! as_user bash -c ': >>merged/dir/secret' && ! as_user rm merged/dir/mode &&
        ! as_user ls work && [[ ! -e upper/dir/secret && -e merged/dir/mode ]]
}

one_label_for_all() {
    umount merged && mount_layers context=user_u:object_r:secret_t && is secret_t merged/file merged/dir &&
        touch merged/dir/labelled && is secret_t merged/dir/labelled && umount merged
}

ask_all() {
    local how="$type, metacopy=$metacopy"
    ok "$how: the labels of the layers show" shows_labels
    ok "$how: what is copied up has the label of the original" copies_are_labelled
    ok "$how: what is new has the label that its directory gives" new_objects_are_labelled
    ok "$how: a label that is set is the copy's" label_is_set
    ok "$how: labels are the same when mounted again" labels_stay
    echo 1 >$selinux/enforce
    ok "$how: who may write the file copies it up, without rights to the layers" user_copies_up
    ok "$how: who may write the directory makes files in it" user_creates
    ok "$how: who may not is refused, and nothing is copied up" user_is_refused
    echo 0 >$selinux/enforce
    ok "$how: context= gives one label to all" one_label_for_all
}

for type in shale overlay; do
    for metacopy in on off; do
        features=redirect_dir=on,index=on,metacopy=$metacopy
        ask_all
    done
done
finish
