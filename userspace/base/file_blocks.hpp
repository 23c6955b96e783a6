// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A file in blocks, for those to whom zeros and holes are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace shale {

constexpr size_t file_block = 64 * 1024;

/// Whether all of @p size bytes, one at least, are zero.
bool is_zero(const char* bytes, size_t size);

/// Fills @p buffer with the file_block bytes at @p offset, fewer at the end of the file. Returns how many.
/// Throws Error naming @p shown.
size_t read_block(int fd, char* buffer, uint64_t offset, const std::string& shown);

/// The first offset from @p offset on, a whole block's, at which the file system has data; @p size if none.
uint64_t next_data(int fd, uint64_t offset, uint64_t size);

} // namespace shale
