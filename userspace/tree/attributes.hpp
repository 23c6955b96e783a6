// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ctime>
#include <map>
#include <string>

#include "tree/union.hpp"

namespace shale::tree {

/// The extended attributes that a mount shows on an object: without the marks, and with those of
/// nested mounts under the names they have there.
std::map<std::string, std::string> shown_xattrs(const Union& tree, const Object& object);

/// Where a symbolic link points.
std::string link_target(const Object& object);

/// Opens the content of a regular file for reading. Throws Error.
UniqueFd open_content(const Object& object);

inline bool same_time(const struct timespec& one, const struct timespec& other) {
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

/// Whether two objects, of one union or of two, look and read the same: type, mode, owner,
/// extended attributes; device number; target; size, modification time and content. The times
/// of a directory do not count, as they follow what happens inside it.
bool look_alike(const Union& one_tree, const Object& one, const Union& other_tree,
                const Object& other);

} // namespace shale::tree
