// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/digest.hpp"

namespace shale {

struct DedupOptions {
    bool hard_links = false; ///< also make one file of the same path in several layers, where all of it is equal
    bool only_look = false;
    unsigned jobs = 1; ///< threads that read layers of which there is no list
};

/// What a store's layers share, and what they could not.
struct Dedup {
    struct Amount {
        uint64_t files = 0;
        uint64_t bytes = 0; ///< on the disk, that are free by it
    };
    /// A layer whose files stay as they are, because of uppers that may know them by number.
    struct Kept {
        Digest chain_id;
        std::string reason;
    };

    bool can_share_data = false; ///< the file system can
    Amount data;                 ///< files that share their blocks with an equal one now
    Amount data_before;          ///< that did already
    uint64_t refused = 0;        ///< that the file system would not let
    Amount linked;               ///< files that are one with that of another layer now
    Amount linked_before;
    uint64_t different = 0; ///< files that are not as the lists say: "image verify" tells
    std::vector<Kept> kept;
};

} // namespace shale
