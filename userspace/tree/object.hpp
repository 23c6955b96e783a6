// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include "base/fd.hpp"
#include "base/xattr.hpp"

namespace shale::tree {

/// A directory of one layer, open as O_PATH, shared by all who stand on it.
using Directory = std::shared_ptr<const UniqueFd>;

/// What tells a real object from others.
using Identity = std::pair<dev_t, ino_t>;

inline Identity identity_of(const struct stat& st) {
    return {st.st_dev, st.st_ino};
}

/// Where one layer holds an object: a name in a directory.
struct Place {
    std::size_t layer = 0; ///< index in the stack; 0 is the top-most
    Directory parent;
    std::string name;
    /// The object itself, open for reading. Set by look-ups that were asked for it, where it can be opened.
    std::shared_ptr<const UniqueFd> file{};

    /// Its extended attributes, marks included.
    XattrTarget xattrs() const {
        return file ? XattrTarget(file->get()) : XattrTarget(parent->get(), name);
    }
};

/// How a look-up got to an object: under the names it was asked for, or led by a redirect on the way.
enum class By { name, relative_redirect, absolute_redirect };

/// One part of a directory that may be merged from several layers.
struct Part {
    std::size_t layer = 0;
    Directory directory;
    By by = By::name;
};

/// What a union shows under one name.
struct Object {
    struct stat st {};       ///< of the part that decides, the top-most
    Place place;             ///< of that part
    std::vector<Part> parts; ///< directories: everything that is merged, top-most first
    Place data;              ///< regular files: what holds the content, place or one below it
    By by = By::name;        ///< how the part that decides was found, in the union as a whole
    /// Regular files without content (metacopy): the first of that name further down.
    std::optional<struct stat> next_below{};
    bool by_own_redirect = false; ///< a part, or content, was found through a redirect of this very name

    bool is_directory() const { return S_ISDIR(st.st_mode); }
};

} // namespace shale::tree
