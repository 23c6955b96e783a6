// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mounting/unmount.hpp"

#include <cerrno>

#include <sys/mount.h>

#include "base/error.hpp"

namespace shale::mounting {

void unmount(const std::string& target, bool lazy) {
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
