// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "base/fd.hpp"
#include "base/xattr.hpp"

namespace shale::tree {

/// A directory of one layer, open as O_PATH, shared by all who stand on it.
using Directory = std::shared_ptr<const UniqueFd>;

/// Where one layer holds an object: a name in a directory.
struct Place {
    std::size_t layer = 0; ///< index in the stack; 0 is the top-most
    Directory parent;
    std::string name;

    /// Its extended attributes, marks included.
    XattrTarget xattrs() const { return {parent->get(), name}; }
};

/// One part of a directory that may be merged from several layers.
struct Part {
    std::size_t layer = 0;
    Directory directory;
};

/// What a union shows under one name.
struct Object {
    struct stat st {};       ///< of the part that decides, the top-most
    Place place;             ///< of that part
    std::vector<Part> parts; ///< directories: everything that is merged, top-most first
    Place data;              ///< regular files: what holds the content, place or one below it

    bool is_directory() const { return S_ISDIR(st.st_mode); }
};

} // namespace shale::tree
