// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cerrno>
#include <string>

#include <sys/mount.h>
#include <unistd.h>

#include "base/error.hpp"

namespace shale {

/// Unmounts what is mounted there. A kernel thread may still have to let go of what was closed last, and is waited for.
inline void unmount_patiently(const std::string& place) {
    for (int tries = 0; umount2(place.c_str(), 0) != 0; ++tries) {
        if (errno != EBUSY || tries == 5000)
            throw Error::from_errno("umount " + place, errno);
        usleep(1000);
    }
}

} // namespace shale
