// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cerrno>
#include <string>

#include "base/error.hpp"

namespace shale::running {

/// Throws Error for what a system call returned, unless that is 0.
inline void check(int result, const std::string& thing) {
    if (result != 0)
        throw Error::from_errno(thing, errno);
}

} // namespace shale::running
