// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/digest.hpp"

namespace shale {

/// What a store holds that no image refers to; and the images that nobody uses, if these were asked for.
struct Garbage {
    std::vector<std::string> images;
    std::vector<Digest> layers; ///< chain ids
    std::uint64_t layer_bytes = 0; ///< of their tars, as far as known
    std::vector<Digest> blobs;
    std::vector<Digest> trees; ///< lists of what layers hold; go without saying
    std::uint64_t blob_bytes = 0;
    std::vector<Digest> mounted; ///< layers that stay, as a mount has them

    bool empty() const { return images.empty() && layers.empty() && blobs.empty(); }
};

/// Whether a mount has the layer at this absolute path, as far as can be told. May throw Error.
using IsMounted = std::function<bool(const std::string& path)>;

struct CollectOptions {
    bool only_look = false;
    bool all_blobs = false; ///< also those of images, which then can't be exported any more
    bool unused_images = false; ///< also images on which no snapshot stands, and that are not mounted
};

} // namespace shale
