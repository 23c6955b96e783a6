// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "base/progress.hpp"
#include "tree/layer.hpp"
#include "tree/object.hpp"

namespace shale::tree {

/// What a layer holds by itself.
struct Size {
    uint64_t bytes = 0; ///< on the disk, each file once however many names it has
    uint64_t files = 0; ///< all but directories and whiteouts
    uint64_t directories = 0;
    uint64_t whiteouts = 0; ///< character devices 0:0
    uint64_t opaque = 0;    ///< directories that hide those of their name below
    uint64_t shared_files = 0; ///< of the files, those that have names outside of the layer as well; known at the end
    uint64_t shared_bytes = 0; ///< what these take
};

/// Files that have names in several layers, and what each takes, in bytes.
using SharedFiles = std::map<Identity, uint64_t>;

/// Looks through all of @p layer. @p so_far is called after each directory; what it throws ends the
/// walk. What disappears meanwhile is left out. Where @p shared is given, the files that have names elsewhere are
/// added to it. Throws Error.
Size measure(const Layer& layer, const std::function<void(const Size& so_far)>& so_far,
             SharedFiles* shared = nullptr);

/// The same; @p progress is told how many bytes were found, and ends it with Cancelled when it says so.
Size measure(const Layer& layer, Progress& progress, SharedFiles* shared = nullptr);

} // namespace shale::tree
