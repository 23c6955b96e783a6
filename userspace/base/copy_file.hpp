// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

namespace shale {

/// Makes the empty file @p to share the blocks of @p from; false where the file system cannot.
bool clone_file(int from, int to);

/// Makes the empty file @p to hold what @p from holds: sharing the blocks where the file system
/// can, else copying the data and leaving the holes. Moves the offsets of both. @p shown names the
/// target in the Error thrown.
void copy_file(int from, int to, uint64_t size, const std::string& shown);

} // namespace shale
