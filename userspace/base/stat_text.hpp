// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What stat(2) says, in words.
#pragma once

#include <ctime>
#include <string>

#include <sys/types.h>

namespace shale {

/// "regular file", "directory"...
const char* type_text(mode_t mode);

/// The permissions of @p mode, as "0644".
std::string mode_text(mode_t mode);

/// Seconds since 1970, with nine digits behind the point.
std::string time_text(const struct timespec& time);

} // namespace shale
