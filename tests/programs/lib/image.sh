# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The image that tests/programs work in, kept in the cache: make-image.sh makes it once. `run` sources this.

readonly image_suite=bookworm
# What the tests run, and what it takes to make data for them.
readonly image_programs=(apt acl attr fio gcc git libc6-dev libcap2-bin make perl postgresql-15 procps rsync sqlite3 stress-ng)
# Twenty to be installed in the guest; they bring few others along.
readonly image_repository=(bc bsdextrautils cpio dc dos2unix ed figlet file less lsof m4 ncal patch pv rename time
    tree unzip whiptail zip)

# Whoever changes the recipe gets a new image.
image_dir() {
    local recipe=("$tree"/tests/programs/lib/{image.sh,make-image.sh,listing.sh,data.sh,numbers.pl})
    echo "$cache/programs/$(cat "${recipe[@]}" | sha256sum | cut -c 1-16)"
}

prepare_programs_image() {
    local image
    image=$(image_dir)
    [[ -d $image ]] || with_lock "$cache/programs.lock" make_programs_image "$image"
}

make_programs_image() {
    local new=$1.unfinished
    [[ -d $1 ]] && return      # somebody else did it meanwhile
    say "programs: making an image of Debian $image_suite with the programs, once: about 170 MB to fetch"
    rm -rf --one-file-system "$cache"/programs/*.unfinished
    mkdir -p "$new/work"
    debian_sources "$image_suite" "$image_suite-security" >"$new/work/sources"
    # Whatever it mounts goes away with its mount namespace, however it ends.
    IMAGE_PROGRAMS=${image_programs[*]} IMAGE_REPOSITORY=${image_repository[*]} supervised \
        unshare --mount --propagation private "$tree/tests/programs/lib/make-image.sh" "$image_suite" "$new" >"$new/log" 2>&1 ||
        { tail -n 30 "$new/log" >&2; die "programs: cannot make the image; $new/log has the whole story"; }
    rm -rf --one-file-system "$new/work"
    mv "$new" "$1"
    say "programs: the image has $(du -sh "$1" | cut -f 1)"
}
