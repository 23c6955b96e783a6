// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/progress.hpp"
#include "store/blob_store.hpp"
#include "store/records.hpp"
#include "store/tree_store.hpp"

namespace shale {

/// Something in the store that is not as it was imported.
struct StoreFinding {
    enum class Where { image, layer, blob };

    Where where = Where::image;
    Digest digest;    ///< chain id of a layer, digest of a blob, of the manifest of an image
    std::string path; ///< in a layer: of the object; else empty
    std::string expected;
    std::string seen;
    std::vector<std::string> images; ///< that have it
};

struct StoreTotals {
    uint64_t layers = 0;
    uint64_t objects = 0; ///< in them
    uint64_t blobs = 0;
    uint64_t bytes = 0;   ///< that were read
    uint64_t findings = 0;
    std::vector<Digest> unlisted; ///< layers of whose content nothing is known: imported before that was listed
    std::vector<Digest> not_kept; ///< blobs that are not there
};

class StoreObserver {
public:
    virtual ~StoreObserver() = default;
    /// What is looked at next: @p bytes of it (0: nobody knows how many).
    virtual void begin(const std::string& what, uint64_t bytes) = 0;
    virtual void found(const StoreFinding& finding) = 0;
};

/// What is verified, and what with.
struct VerifySubject {
    const std::vector<ImageRecord>& images;
    const std::string& root; ///< of the store
    const BlobStore& blobs;
    const TreeStore& trees;
    unsigned jobs;
};

/// Holds the blobs and layer directories of images against their digests, and against the lists that were made of
/// them. Each is looked at once, however many images have it.
StoreTotals verify_images(const VerifySubject& subject, StoreObserver& observer, Progress& progress);

} // namespace shale
