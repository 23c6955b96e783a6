// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "describe.hpp"

namespace shale::twins {

/// A whole tree: for each path, relative to its root (which is "."), all that is seen there.
using Snapshot = std::map<std::string, std::string>;

/// What of a tree counts.
struct View {
    Times times = Times::recent_ones_alike;
    /// Whether a directory lists the inode numbers that stat(2) shows, and they stay when the tree
    /// is mounted anew. overlayfs promises that for layers of one file system.
    bool one_file_system = true;
    /// Whether names of one file can be told by inode number. Where a lower layer gives out no file
    /// handles, overlayfs shows now the lower's number, now the upper's, once it was copied up.
    bool identities = true;
    bool inode_numbers = false;
};

/// Reads the tree whose root is the current directory. Beside what describe() says: content, target
/// of a link, extended attributes, and under which other name the same file was seen first; and in
/// capitals what must not be: a name that is listed twice, that is listed and cannot be looked up,
/// whose type or inode number in the list are not those of the object.
Snapshot take_snapshot(const View& view);

/// The names in @p fd, an open directory, sorted, each with its type in the list ("a/" for a
/// directory); or the error.
std::string list_directory(int fd);

/// The names in @p path, without "." and "..", sorted. Throws Error.
std::vector<std::string> names_in(const std::string& path);

} // namespace shale::twins
