// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

namespace shale {

/// Things of one kind in a store, and the room that they take on the disk, in bytes.
struct KindUsage {
    uint64_t count = 0;
    uint64_t active = 0;      ///< of these, that are in use
    uint64_t bytes = 0;
    uint64_t shared = 0;      ///< of these, what several images have
    uint64_t reclaimable = 0; ///< of these, what would go, were all removed that is not in use
};

struct StoreUsage {
    KindUsage images;    ///< their layers; in use are those that a snapshot stands on or that are mounted
    KindUsage layers;    ///< in use by an image, or mounted
    KindUsage blobs;     ///< in use by an image
    KindUsage snapshots; ///< in use are mounted ones
};

} // namespace shale
