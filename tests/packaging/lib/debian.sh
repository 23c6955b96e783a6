# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Debian packages of this tree, and a clean Debian 12 to install them in.

release=$(<"$SHALE_KERNEL/release")

# Everything that the packages are made of. What git ignores stays out; what isn't committed yet counts.
package_sources() {
    git -c safe.directory='*' -C "$tree" ls-files -co --exclude-standard -z -- \
        CMakeLists.txt Kbuild LICENSES debian docs/manual include kmod userspace |
        (cd "$tree" && while IFS= read -r -d '' file; do [[ ! -f $file ]] || printf '%s\0' "$file"; done)
}

# Leaves in $debs the directory with the packages of today's sources. Without optimisation, which
# takes two thirds of the time and is not what is tested here.
build_packages() {
    local key
    key=$(cd "$tree" && package_sources | xargs -0 sha256sum | sha256sum | cut -c 1-16)
    debs=$tree/build/packaging/debs-$key
    [[ -e $debs/complete ]] && return
    rm -rf "$tree"/build/packaging/debs-*
    mkdir -p "$debs/shale"
    package_sources | rsync -a --files-from=- --from0 "$tree/" "$debs/shale/" || return
    (cd "$debs/shale" && DEB_BUILD_OPTIONS="nocheck noopt noautodbgsym" dpkg-buildpackage -us -uc -b) || return
    rm -rf "$debs/shale"
    touch "$debs/complete"
}

# The Debian part of the host's own package sources, for sources.list.
host_sources() {
    apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' |
        awk -F '|' '$1 == "Debian" && index($2, "bookworm") == 1 && !seen[$0]++ { print "deb", $3, $4, $5 }'
}

# Leaves in $clean a clean Debian 12 with DKMS and the tested kernel, made once. What else the packages
# depend on is downloaded, but not installed.
make_clean_root() {
    local cache=${SHALE_CACHE:?}/packaging key proxy options=()
    key=$({ declare -f make_clean_root; echo "$release"; } | sha256sum | cut -c 1-16)
    clean=$cache/$key
    exec {root_lock}>"$cache.lock"
    flock "$root_lock"
    [[ -d $clean ]] && return
    rm -rf --one-file-system "$cache"
    mkdir -p "$cache"
    proxy=$(apt-config dump Acquire::http::Proxy)
    [[ -z $proxy ]] || options+=(--aptopt="$proxy")
    [[ -n $(host_sources) ]] || {
        echo "apt knows no Debian 12 source; is there one in /etc/apt, and was 'apt-get update' run?"
        return 1
    }
    # An initramfs of all modules would take a minute to make and longer to boot.
    host_sources | unshare --mount --propagation private mmdebstrap --mode=root --variant=apt "${options[@]}" \
        --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-include=/usr/share/man/man[58]/*shale*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --skip=cleanup/apt/lists,cleanup/apt/cache \
        --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"' \
        --essential-hook='echo MODULES=list >"$1/etc/initramfs-tools/conf.d/modules"' \
        --include="mount,dkms,openssl,initramfs-tools,busybox,zstd,linux-image-$release,linux-headers-$release" \
        --customize-hook='chroot "$1" apt-get --yes --no-install-recommends --download-only install \
            libarchive13 libnl-3-200 libnl-genl-3-200 libsqlite3-0' \
        bookworm "$cache/new" - &&
        mv "$cache/new" "$clean"
}

# Leaves in $root a copy of it that may be spoilt.
copy_clean_root() {
    root=$work/root
    cp -a --reflink=auto "$clean" "$root"
}

# in_root COMMAND...: as if booted there, as far as a chroot goes.
in_root() {
    unshare --mount --propagation private sh -c '
        mount -t proc proc "$0/proc" && mount -t sysfs -o ro sysfs "$0/sys" && mount --rbind /dev "$0/dev" &&
            cp /etc/resolv.conf "$0/etc/resolv.conf" && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
            LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$0" "$@"' "$root" "$@"
}

# apt_in_root ARGUMENT...
apt_in_root() {
    in_root apt-get --yes --no-install-recommends -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root "$@"
}

# What a package file is called depends on version and architecture.
install_packages_in_root() {
    local name files=()
    for name in "$@"; do
        cp "$debs/${name}_"*.deb "$root/" || return
        files+=("/$(basename "$debs/${name}_"*.deb)")
    done
    apt_in_root install "${files[@]}"
}
