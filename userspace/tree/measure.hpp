// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>

#include "tree/layer.hpp"

namespace shale::tree {

/// What a layer holds by itself.
struct Size {
    uint64_t bytes = 0; ///< on the disk, each file once however many names it has
    uint64_t files = 0; ///< all but directories and whiteouts
    uint64_t directories = 0;
    uint64_t whiteouts = 0; ///< character devices 0:0
};

/// Looks through all of @p layer. @p so_far is called after each directory; what it throws ends the
/// walk. What disappears meanwhile is left out. Throws Error.
Size measure(const Layer& layer, const std::function<void(const Size& so_far)>& so_far);

} // namespace shale::tree
