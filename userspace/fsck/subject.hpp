// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "ondisk/marks.hpp"
#include "tree/union.hpp"

namespace shale::fsck {

/// What is looked through.
struct Subject {
    tree::Union::Layers layers; ///< top-most first; the first is the one that may be repaired
    std::size_t data_layers = 0; ///< so many of them, the last ones, are of data only
    bool is_upper = false;       ///< the first is an upper: what only mounts write is judged, too
    std::optional<std::string> work{}; ///< its work directory
    /// A mount works with it at the moment: what is not finished, and marks of features, are its own affair.
    bool is_live = false;
    ondisk::Prefix prefix = ondisk::Prefix::trusted;

    /// Whether it is known what lies below the first.
    bool knows_below() const { return layers.size() > 1; }
};

} // namespace shale::fsck
