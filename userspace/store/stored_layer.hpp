// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "store/records.hpp"

namespace shale {

/// A layer in a store, and who has it.
struct StoredLayer {
    /// An image that has it, as the layer of that number: 1 is the bottom.
    struct Use {
        std::string image;
        size_t number = 0;
    };

    LayerRecord record; ///< of one that the database does not know, the chain id alone
    std::string path;   ///< absolute
    std::vector<Use> uses{};
    std::vector<std::string> snapshots{}; ///< on these images
    std::vector<Digest> below{}; ///< chain ids of the layers that it stands on, the next one first, as images tell
};

} // namespace shale
