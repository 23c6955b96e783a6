// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/digest.hpp"

namespace shale {

struct LayerRecord {
    Digest diff_id;    ///< of the uncompressed tar
    Digest chain_id;   ///< of this layer and all below it; its hex() is the directory's name
    Digest blob;       ///< of the layer as the image's manifest names it
    uint64_t size = 0; ///< of the uncompressed tar, in bytes
    Digest tree;       ///< of the list of what its directory holds (see TreeStore); empty: there is none
};

struct ImageRecord {
    std::string name;
    Digest manifest_digest;
    std::string media_type;          ///< of the manifest; empty: see has_blobs()
    Digest config_digest;
    std::string config;              ///< JSON, as it came
    std::vector<LayerRecord> layers; ///< bottom first
    uint64_t size = 0;               ///< sum over the layers
    int64_t imported = 0;            ///< seconds since 1970

    /// Whether the import kept what the image came from. Before version 2 of the schema it did not.
    bool has_blobs() const { return !media_type.empty(); }
};

/// A writable layer on top of an image; or a view of an image, which nothing is written to.
struct SnapshotRecord {
    std::string name;
    std::string image;
    std::string upper{}; ///< absolute path; empty: it is a view
    std::string work{};  ///< absolute path; of a view empty
    int64_t created = 0;
    bool is_view = false;
    std::string view{}; ///< of a view, absolute path: the empty directory that is mounted above the image's layers

    /// The directory by which it is known among mounts, above the layers of its image.
    const std::string& top() const { return is_view ? view : upper; }
};

/// What messages call it: "writable layer 'web'"
inline std::string called(const SnapshotRecord& snapshot) {
    return (snapshot.is_view ? "view '" : "writable layer '") + snapshot.name + "'";
}

} // namespace shale
