// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "base/fd.hpp"

namespace shale {

/// The layers below the one that is being made, seen as one tree.
class LowerLayers {
public:
    /// @p paths of finished layers, top first.
    explicit LowerLayers(std::vector<std::string> paths) : paths_(std::move(paths)) {}

    /// Where the union of the layers has an object: its parent directory and its name there.
    struct Found {
        UniqueFd parent;
        std::string name; ///< "." for the root
        struct stat st;
    };
    /// The topmost object at @p path ("" is the root), unless a layer above hides it. Symbolic
    /// links on the way are not followed: to a layer they are objects like others.
    std::optional<Found> find(const std::string& path) const;

private:
    std::vector<std::string> paths_;
};

} // namespace shale
