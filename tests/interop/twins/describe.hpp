// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include <sys/stat.h>

/// What trees and answers look like in words, so that comparing is comparing strings.
namespace shale::twins {

/// Two trees that were changed one after the other have other times where a change left the present
/// one. Those of layers, and those that are set, lie in a past that no clock here knows.
enum class Times { exact, recent_ones_alike };

/// Type, mode, owner, device number, size, link count and time of modification. The size of a
/// directory is left out: it belongs to the file system below.
std::string describe(const struct stat& st, Times times);

/// Whether the name by which @p fd was opened is gone.
bool is_deleted(int fd);

/// "ok" or the name of errno.
std::string answer(long result);
std::string error_name(int code);
bool is_error(const std::string& answer);

/// Bytes as they are where that is short and readable, otherwise their number and a checksum.
std::string describe_bytes(const std::string& bytes);

/// All that can be read from @p fd, from the beginning.
std::string describe_content(int fd);

/// All extended attributes of what @p path names (not following a symbolic link), sorted by name.
std::string describe_xattrs(const std::string& path);
std::string describe_xattrs(int fd);

} // namespace shale::twins
