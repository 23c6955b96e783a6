// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What images are made of that a store makes out of its own: the blobs of the new, and the manifest of the old.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "oci/blob_directory.hpp"
#include "oci/compress.hpp"
#include "oci/manifest.hpp"
#include "store/blob_store.hpp"
#include "store/records.hpp"
#include "store/workplace.hpp"

namespace shale {

/// Blobs that are made for an image: ROOT/staging/OWN/made/blobs/sha256.
class MadeBlobs {
public:
    /// @p image is the one that the new one is made of.
    MadeBlobs(const Workplace& work, const std::string& image);

    void put(const oci::Descriptor& blob, const std::string& content) const;
    /// Has one of the store's among them, for those that are to be unpacked again.
    void take(const Digest& blob, const BlobStore& blobs) const;

    int fd() const { return blobs_.get(); }
    const oci::BlobDirectory& directory() const { return named_; }

private:
    UniqueFd directory_;
    UniqueFd blobs_;
    oci::BlobDirectory named_;
};

/// The layer blob while it is written: a tar, digested, compressed, digested again.
class LayerBlob {
public:
    LayerBlob(const MadeBlobs& made, oci::Compression compression);

    void write(std::span<const std::byte> tar);
    oci::LayerDescriptor finish();

private:
    void append(std::span<const std::byte> bytes);

    const MadeBlobs& made_;
    oci::Compression compression_;
    UniqueFd file_;
    Sha256 tar_;
    Sha256 blob_;
    uint64_t size_ = 0;
    std::unique_ptr<oci::Compressor> compressor_;
};

/// Of what @p image came from, as far as the store has kept it. Throws Error where that is not all.
oci::Manifest manifest_of(const ImageRecord& image, const BlobStore& blobs);

} // namespace shale
