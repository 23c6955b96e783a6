// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/stat.h>

#include "base/fd.hpp"

/// System calls relative to a directory descriptor. Each throws Error naming @p name (or the longer
/// @p shown, where one is given) when the call fails; each sets O_CLOEXEC where that applies.
namespace shale {

/// openat(2). @p dir may be AT_FDCWD.
UniqueFd open_at(int dir, const std::string& name, int flags, mode_t mode = 0);

/// openat2(2) that can neither leave @p dir nor pass through a symbolic link or a magic link.
/// Leaves the descriptor empty and errno set on failure: callers differ in what they make of it.
/// An empty @p path means @p dir itself.
UniqueFd try_open_beneath(int dir, const std::string& path, int flags);

/// fstatat(2) without following a symbolic link; nothing where the name does not exist.
std::optional<struct stat> stat_at(int dir, const std::string& name);
struct stat stat_of(int fd, const std::string& shown);

/// readlinkat(2): where the symbolic link points.
std::string read_link_at(int dir, const std::string& name);

void make_directory_at(int dir, const std::string& name, mode_t mode);
/// linkat(2), without following a symbolic link.
void link_at(int from_dir, const std::string& from, int to_dir, const std::string& to);
void rename_at(int from_dir, const std::string& from, int to_dir, const std::string& to);
/// renameat2(2) with RENAME_NOREPLACE: false where the target exists already.
bool rename_new_at(int from_dir, const std::string& from, int to_dir, const std::string& to);

/// Makes @p path and whatever parents it lacks (parents 0755, the last one @p mode); existing
/// directories stay as they are.
void make_directories(const std::string& path, mode_t mode);

/// Writes all of it at @p offset, however many calls that takes.
void write_all_at(int fd, const void* data, size_t size, uint64_t offset, const std::string& shown);

/// Reads up to @p size bytes; 0 at the end of the file.
size_t read_some(int fd, void* data, size_t size, const std::string& shown);

/// All that is left of the file.
std::string read_all(int fd, const std::string& shown);

} // namespace shale
