# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What stands behind `./run install` and `./run uninstall`: the module and the tools on this host. The
# module is left to DKMS, which builds it again for each new kernel, or put beside one kernel's own.
#
# $install_manifest lists what is not DKMS's: files, and with a slash at the end directories, that were not there
# before; a line "depmod RELEASE" for each kernel that has to learn of it.

readonly install_prefix=/usr/local
readonly install_manifest=$install_prefix/share/shale/installed
dkms_names=(shale shale-overlay)

read_version() {
    version=$(sed -n 's/^#define SHALE_VERSION "\(.*\)"$/\1/p' "$tree/include/version.h")
}

# --- Installing ------------------------------------------------------------------

# parse_install_options ARGUMENT...: leaves $with_dkms, $with_overlay and $releases.
parse_install_options() {
    with_dkms=no with_overlay=no releases=()
    command -v dkms >/dev/null && with_dkms=yes
    while (($#)); do
        case $1 in
        --no-dkms) with_dkms=no ;;
        --overlay) with_overlay=yes ;;
        -*) usage_error "install: no such option: $1" ;;
        *) releases+=("$1") ;;
        esac
        shift
    done
    ((${#releases[@]})) || releases=("$(uname -r)")
}

check_installable() {
    local name release config
    for name in shale-dkms shale; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) != installed ]] ||
            die "install: Debian's package $name is installed; there can be one of both: apt remove $name"
    done
    for release in "${releases[@]}"; do
        [[ -d /lib/modules/$release/build/ ]] ||
            die "install: there are no headers of $release to build the module with; on Debian: apt install linux-headers-$release"
        config=/lib/modules/$release/build/.config
        [[ $with_overlay == no ]] || ! grep -q '^CONFIG_OVERLAY_FS=' "$config" ||
            die "install: the kernel $release has an overlayfs of its own; overlay.ko is for kernels without"
    done
}

install_everything() {
    local name names=(shale)
    read_version
    uninstall_everything
    install_tools
    [[ $with_overlay == yes ]] && names+=(shale-overlay)
    for name in "${names[@]}"; do
        if [[ $with_dkms == yes ]]; then
            install_by_dkms "$name"
        else
            install_beside_kernels "$name"
        fi
    done
    say_what_is_next
}

# The whole tree as it will be is made aside, so that it is known what was not there before.
install_tools() {
    local stage=$build/install path
    say "install: the tools, below $install_prefix"
    rm -rf "$stage"
    DESTDIR=$stage quietly install cmake --install "$build/userspace" --prefix "$install_prefix"
    mkdir -p "$stage/usr/sbin" "$stage$(dirname "$install_manifest")"
    # mount(8) looks nowhere else for its helpers.
    ln -s "$install_prefix/sbin/mount.shale" "$stage/usr/sbin/mount.shale"
    (cd "$stage" && find . -mindepth 1 \( -type d -printf '/%P/\n' -o -printf '/%P\n' \)) | sort |
        while read -r path; do
            [[ $path == */ && -d $path ]] || echo "$path"
        done >"$build/install.manifest"
    cp -a --no-preserve=ownership "$stage/." / || die "install: cannot copy the tools"
    cp "$build/install.manifest" "$install_manifest"
}

# source_for NAME DIR: what the module NAME is built from.
source_for() {
    local conf=$1
    [[ $1 == shale-overlay ]] && conf=overlay
    mkdir -p "$2"
    rsync -a --delete --chown=0:0 "$tree/Kbuild" "$tree/kmod" "$tree/include" "$2/"
    sed "s/#MODULE_VERSION#/$version/" "$tree/kmod/dkms/$conf.conf" >"$2/dkms.conf"
}

install_by_dkms() {
    local name=$1 release
    source_for "$name" "/usr/src/$name-$version"
    quietly dkms dkms add -m "$name" -v "$version"
    for release in "${releases[@]}"; do
        say "install: DKMS builds $name for $release"
        quietly dkms dkms install -m "$name" -v "$version" -k "$release"
    done
}

install_beside_kernels() {
    local name=$1 release updates module=shale
    [[ $name == shale-overlay ]] && module=overlay
    for release in "${releases[@]}"; do
        say "install: building $module.ko for $release"
        rm -rf "$build/install-$name"
        source_for "$name" "$build/install-$name"
        quietly "install-$name" make -C "/lib/modules/$release/build" M="$build/install-$name" -j "$(nproc)" \
            SHALE_NAME="$module" CONFIG_DEBUG_INFO_BTF_MODULES= modules
        updates=/lib/modules/$release/updates
        [[ -d $updates ]] || echo "$updates/" >>"$install_manifest"
        install -D -m 644 -t "$updates" "$build/install-$name/$module.ko" ||
            die "install: cannot write to /lib/modules/$release"
        depmod "$release"
        printf '%s\n' "$updates/$module.ko" "depmod $release" >>"$install_manifest"
    done
}

say_what_is_next() {
    say "install: done. The module is loaded by itself at the first mount; 'modprobe shale' tries it now."
    say "install: docs/packages.md tells what to do where the kernel demands signed modules, docs/fstab.md how to mount."
    say "install: ./run uninstall takes everything away again"
}

# --- Uninstalling ------------------------------------------------------------------

# Nothing that isn't ours is touched, and what isn't there is no error.
uninstall_everything() {
    local name path
    read_version
    for name in "${dkms_names[@]}"; do
        for path in /usr/src/"$name"-[0-9]*; do
            [[ -e $path ]] && uninstall_from_dkms "$name" "${path##*"$name"-}"
        done
    done
    [[ -e $install_manifest ]] || return 0
    # Deepest first, so that directories are empty by the time they are reached.
    sort -r "$install_manifest" >"$build/uninstall.manifest"
    rm -f "$install_manifest"
    while read -r path; do
        case $path in
        "depmod "*) ;;
        */) rmdir --ignore-fail-on-non-empty "$path" ;;
        *) rm -f "$path" ;;
        esac
    done <"$build/uninstall.manifest"
    sed -n 's/^depmod //p' "$build/uninstall.manifest" | sort -u | xargs -r -n 1 depmod
}

uninstall_from_dkms() {
    local name=$1 old=$2
    [[ -d /var/lib/dkms/$name/$old ]] && quietly dkms dkms remove -m "$name" -v "$old" --all
    rm -rf "/usr/src/${name:?}-${old:?}"
}

say_what_stays() {
    if [[ -d /sys/module/shale ]]; then
        rmmod shale 2>/dev/null ||
            say "uninstall: mounts use the loaded module; it stays until they are unmounted and 'rmmod shale'"
    fi
    say "uninstall: done. Images and writable layers in /var/lib/shale are yours; they stay"
}
