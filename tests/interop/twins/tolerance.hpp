// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "operation.hpp"

/// The differences that are no failure, one by one. Each stands in docs/differences.md.
namespace shale::twins {

enum class Tolerance {
    /// "whiteouts in a directory that one lower alone has": overlayfs lists them.
    listed_whiteout,
    /// "changing a removed lower file through its descriptor": EEXIST in overlayfs.
    change_of_removed,
};

/// Whether the file system that @p fd is open in is overlayfs.
bool is_overlayfs(int fd);

/// Whether the answers of Shale and of overlayfs to @p operation may be these.
bool is_tolerated(const Operation& operation, const std::string& ours, const std::string& theirs);

/// Each use of a tolerance is counted.
void count(Tolerance tolerance);
void print_counts();

} // namespace shale::twins
