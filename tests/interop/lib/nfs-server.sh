# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The kernel's NFS server in the guest, with the programs of Debian's nfs-kernel-server. Tests source this file.
#
#   nfs_server_missing              prints what is missing for it here; nothing when all is there
#   nfs_server_start                starts the server, without exports
#   nfs_server_export DIR FSID [OPTION,...]
#                                   lets this machine mount DIR; FSID, a number, is in all its file handles
#   nfs_server_stop                 ends the server with all its exports
#   nfs_mount VERSION DIR TARGET [OPTION,...]
#                                   mounts an exported DIR, VERSION 3 or 4.2
#
# The server's threads belong to the kernel, and hold what is exported until nfs_server_stop. The other processes end with
# the program's control group.

nfs_server_pids=()

nfs_server_missing() {
    local program module
    for program in rpcbind rpc.mountd rpc.nfsd exportfs mount.nfs; do
        command -v "$program" >/dev/null || echo "no program $program (package nfs-kernel-server)"
    done
    for module in nfsd nfsv3 nfsv4; do
        modprobe -q "$module" || grep -qw "${module%v*}" /proc/filesystems || echo "no module $module"
    done
}

# nfs_server_run COMMAND...: in the background, without the caller's directory and files, which may be the client's.
nfs_server_run() {
    (
        cd / || exit
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            ((fd <= 2)) || exec {fd}>&-
        done
        exec "$@"
    ) &
    nfs_server_pids+=($!)
}

nfs_server_start() {
    # State of a server that outlives a boot is of no use here, and the host's is read-only.
    [[ $(stat -f -c %T /var/lib/nfs) == tmpfs ]] || mount -t tmpfs tmpfs /var/lib/nfs || return
    mkdir -p /var/lib/nfs/{sm,sm.bak,v4recovery,rpc_pipefs} /run/rpcbind
    touch /var/lib/nfs/{etab,rmtab,state}
    mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd || return

    nfs_server_run rpcbind -w -f
    nfs_server_wait rpcinfo -p 127.0.0.1 || return
    # Nobody was here before who might want back what he had locked.
    echo 10 >/proc/fs/nfsd/nfsv4leasetime
    echo 10 >/proc/fs/nfsd/nfsv4gracetime
    nfs_server_run rpc.mountd --foreground --port 20048
    rpc.nfsd --no-udp 2 || return
    echo Y >/proc/fs/nfsd/v4_end_grace
    nfs_server_wait rpcinfo -t 127.0.0.1 mountd
}

# nfs_server_wait COMMAND...: until it succeeds, for ten seconds.
nfs_server_wait() {
    local try
    for ((try = 0; try < 100; try++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    return 1
}

nfs_server_export() {
    exportfs -i -o "rw,no_root_squash,no_subtree_check,insecure,fsid=$2${3:+,$3}" "127.0.0.1:$1" || return
    # What the kernel remembers of this number, or that there was nothing, is of the time before.
    exportfs -f
}

nfs_server_stop() {
    exportfs -ua
    exportfs -f
    rpc.nfsd 0
    ((${#nfs_server_pids[@]})) && kill "${nfs_server_pids[@]}" && wait "${nfs_server_pids[@]}" 2>/dev/null
    nfs_server_pids=()
}

nfs_mount() {
    mount -t nfs -o "vers=$1,proto=tcp,nolock,soft,timeo=50${4:+,$4}" "127.0.0.1:$2" "$3"
}
