// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mounting/unmount.hpp"

#include <cerrno>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/error.hpp"

namespace shale::mounting {

namespace {

/// Unmounting goes by path, and leads to whatever is on top there.
void check_on_top(const MountPoint& mount) {
    struct stat st {};
    if (stat(mount.path.c_str(), &st) != 0)
        throw Error::from_errno(mount.path, errno);
    if (st.st_dev != makedev(mount.major, mount.minor))
        throw Error(mount.path, "something else is mounted on it, or on a directory above it",
                    "unmount that first; \"findmnt\" shows what lies on what");
}

} // namespace

void unmount(const MountPoint& mount, bool lazy) {
    check_on_top(mount);
    const std::string& target = mount.path;
    if (umount2(target.c_str(), UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0)
        return;
    switch (errno) {
    case EBUSY:
        throw Error(target,
                    "in use: a process works in it, has a file of it open, or something "
                    "is mounted inside it",
                    "end that (\"fuser -vm " + target +
                        "\" lists the processes), or use --lazy to unmount once it has ended");
    case EPERM:
        throw Error::from_errno(target, EPERM, "unmounting needs root: run it with sudo");
    case EINVAL:
        throw Error(target, "nothing is mounted here", "\"shale mounts\" lists what is mounted");
    default:
        throw Error::from_errno(target, errno);
    }
}

} // namespace shale::mounting
