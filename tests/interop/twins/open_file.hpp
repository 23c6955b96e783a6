// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include <sys/types.h>

#include "base/fd.hpp"

namespace shale::twins {

/// open(2), but never waits for another process.
///
/// Where a file is opened for writing, it gets a time that is known: overlayfs, when that makes it
/// copy the content of a file that had been copied without, leaves the time of the copying, Shale
/// the file's own (Tolerance::time_of_content).
UniqueFd open_file(const std::string& path, int flags, mode_t mode = 0);

/// Sets the time of modification to one that is the same in both trees.
void set_known_time(const std::string& path);

} // namespace shale::twins
