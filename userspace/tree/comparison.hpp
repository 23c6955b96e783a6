// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>

#include "tree/union.hpp"

namespace shale::tree {

/// What two trees have at one path; at least one of them has something.
struct Pair {
    std::string path; ///< from the root of the union, beginning with "/"
    const Object* before = nullptr;
    const Object* after = nullptr;
    bool same = false;   ///< both are the same object of the same layer
    bool merged = false; ///< both are directories, and the new one is the old one with parts above it

    bool both_directories() const { return before && after && before->is_directory() && after->is_directory(); }
};

/// What to do about the names below a pair.
enum class Descend {
    no,
    compare, ///< hold them against each other, where both are directories
    as_new,  ///< all of the new directory, as if the old one had nothing
};

using Visit = std::function<Descend(const Pair&)>;

/// Hands to @p visit whatever may differ between two trees, parents first, names in byte order.
///
/// Parts that the two have in common are recognised by sharing Layer objects and are not read, so the
/// cost is that of the layers that only one has. Throws Error.
void compare(const Union& before, const Union& after, const Visit& visit);

} // namespace shale::tree
