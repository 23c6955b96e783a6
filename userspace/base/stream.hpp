// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Files that are written from one end to the other: also pipes, where one may have to wait.
#pragma once

#include <cstddef>
#include <string>

#include "base/progress.hpp"

namespace shale {

/// Writes all of it to @p fd. Asks @p progress while it waits for whoever reads; throws Cancelled
/// then, or Error.
void write_stream(int fd, const void* data, size_t size, const std::string& shown,
                  Progress& progress);

/// Reads up to @p size bytes; 0 at the end. Asks @p progress, while it waits for whoever writes, and
/// once at least; throws Cancelled then, or Error.
size_t read_stream(int fd, void* data, size_t size, const std::string& shown, Progress& progress);

} // namespace shale
