// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "oci/blob_directory.hpp"

namespace shale {

/// ROOT/blobs/sha256: what images were imported from, each blob as it came.
class BlobStore {
public:
    /// @p root is an open ROOT, @p shown its path. It outlives the object.
    BlobStore(int root, const std::string& shown);

    const oci::BlobDirectory& directory() const { return directory_; }
    /// Whether the blob is there, as far as its size tells.
    bool has(const oci::Descriptor& blob) const;
    /// Its size, or nothing where it is not there.
    std::optional<uint64_t> size_of(const Digest& digest) const;
    /// Open ROOT/blobs/sha256.
    int fd() const { return fd_.get(); }

private:
    UniqueFd fd_;
    oci::BlobDirectory directory_;
};

} // namespace shale
