// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The index of an upper: one copy for all names of a lower file, found by its origin.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <sys/stat.h>

#include "tree/origin.hpp"

namespace shale::tree {

/// The copies of files in the index. Those of directories, and marks of removed ones, are left out: no name
/// leads to them.
class Index {
public:
    struct Entry {
        struct stat upper {};
        struct stat lower {}; ///< what it was copied from
        std::string name;
    };

    /// Reads the index in the work directory @p work; empty if there is none. Throws Error.
    Index(const std::string& work, const Origins& origins);

    const Directory& directory() const { return directory_; }

    /// The entry of what was copied from @p lower, or whose copy is @p upper; null if there is none.
    const Entry* copied_from(const struct stat& lower) const;
    const Entry* of_copy(const struct stat& upper) const;

    /// How many names a file of the index has, by its mark @p nlink.
    static std::optional<uint64_t> links(const Entry& entry, const std::string& nlink);

private:
    Directory directory_;
    std::map<Identity, Entry> by_lower_;
    std::map<Identity, const Entry*> by_upper_;
};

} // namespace shale::tree
