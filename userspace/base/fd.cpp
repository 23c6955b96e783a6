// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/fd.hpp"

#include <unistd.h>

namespace shale {

void UniqueFd::reset(int fd) {
    if (fd_ >= 0)
        close(fd_);
    fd_ = fd;
}

} // namespace shale
