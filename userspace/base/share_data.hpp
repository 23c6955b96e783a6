// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Blocks that files share on the disk.
#pragma once

#include <cstdint>

namespace shale {

/// Whether two files lie in the same blocks, all of them, as far as the file system tells.
bool shares_data(int one, int other);

enum class Sharing {
    done,
    differs, ///< the files do not hold the same
    refused, ///< the file system can't, or not these; errno says why
};

/// Makes the file @p to share the blocks of @p from, both open and of @p size bytes; holes of that stay as they are. The
/// kernel compares what it shares, and what either holds never changes. Moves the offset of @p from.
Sharing share_data(int from, int to, uint64_t size);

/// Whether the file system of the open directory @p directory, in which nobody else works, can do that.
bool can_share_data(int directory);

} // namespace shale
