// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <string>

#include "base/fd.hpp"

namespace shale::bench {

/// Writes @p size bytes that are no zeros, and waits until they are on the disk.
void make_file(const std::string& path, size_t size);
/// 10 GiB with 16 pieces of data, of 64 KiB each.
void make_sparse_file(const std::string& path);
/// @p count files "0", "1"...
void make_files(const std::string& dir, unsigned count, size_t size);

/// stat(2), which must find it.
void stat_file(const std::string& path);
UniqueFd open_file(const std::string& path, int flags);
/// Throws, naming the system call @p what, if its result is not the one that was @p expected.
void require(bool expected, const char* what);

} // namespace shale::bench
