// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "tree/union.hpp"

namespace shale::tree {

enum class Kind { added, changed, deleted };

/// One difference between two trees.
struct Change {
    Kind kind;
    std::string path; ///< from the root of the union, beginning with "/"

    auto operator<=>(const Change&) const = default;
};

/// What @p after shows differently from @p before, sorted by path.
///
/// - Everything below an added directory is listed; of a deleted one, the directory alone.
/// - Something that became of another type is one change, plus what a new directory contains.
/// - A file that was copied up and still looks and reads the same is no change, nor is a
///   directory that exists in the upper for the sake of what is in it.
///
/// Parts that the two have in common are recognised by sharing Layer objects and are not read, so
/// the cost is that of the layers that only one has. Throws Error.
std::vector<Change> changes(const Union& before, const Union& after);

/// What one layer holds differently from another, each taken by itself; sorted by path as above. Whiteouts count as
/// objects of their own, and that a directory is opaque as one of its attributes. Throws Error.
std::vector<Change> differences(const std::shared_ptr<const Layer>& before, const std::shared_ptr<const Layer>& after);

} // namespace shale::tree
