// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/names_in.hpp"
#include "tree/union.hpp"

namespace shale::verify {

/// One name in a listing of the mount.
struct Listed : ListedName {
    unsigned times = 1; ///< so often it is listed

    bool operator<(const Listed& other) const { return name < other.name; }
};

/// What the open directory @p fd lists, but "." and "..", by name. Throws Error.
std::vector<Listed> read_listing(int fd);

/// One name of a directory, as the model and the mount have it.
struct Entry {
    std::string name;
    tree::Union::Holders holders; ///< which parts have it; none: the mount alone lists it
    std::optional<Listed> listed; ///< nothing: the mount does not list it
};

/// A directory that the mount and the model have both.
class Directory {
public:
    /// @p shown is open for reading, @p path is "" for the root.
    Directory(std::string path, tree::Object object, UniqueFd shown)
        : path_(std::move(path)), object_(std::move(object)), shown_(std::move(shown)) {}

    const std::string& path() const { return path_; }
    const tree::Object& object() const { return object_; }
    int shown() const { return shown_.get(); }

    /// All names that either has. Throws Error.
    std::vector<Entry> entries(const tree::Union& model) const;

    /// @p entry as it is now, by listings that are read again once for all who ask. Throws Error.
    Entry again(const Entry& entry, const tree::Union& model) const;

private:
    std::string path_;
    tree::Object object_;
    UniqueFd shown_;

    mutable std::once_flag read_again_;
    mutable std::vector<Entry> entries_again_;
};

} // namespace shale::verify
