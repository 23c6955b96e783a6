// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "oci/manifest.hpp"
#include "store/blob_store.hpp"
#include "store/image_output.hpp"
#include "store/records.hpp"

namespace shale {

/// An image on its way out of the store: all that it needs is open, so that nobody can take it away.
class ImageExport {
public:
    /// Throws Error where the store has not kept all of @p image. All arguments outlive the object.
    ImageExport(const ImageRecord& image, const BlobStore& blobs, Progress& progress);

    /// Writes an OCI image layout in which the image is tagged @p tag.
    void write_layout(const std::string& tag, ImageOutput& output);
    /// Writes what `docker save` would: the layers without compression, the image named @p tag. The manifest
    /// has no place in it.
    void write_docker_archive(const std::string& tag, ImageOutput& output);

private:
    void refuse_if_incomplete() const;
    /// Layer @p index, from its begin.
    oci::BlobSource& begin_layer(size_t index);
    void write_uncompressed(size_t index, const std::string& name, ImageOutput& output);

    const ImageRecord& image_;
    const BlobStore& blobs_;
    Progress& progress_;
    oci::Descriptor descriptor_; ///< of the manifest
    oci::Manifest manifest_;
    std::vector<std::unique_ptr<oci::BlobSource>> layers_;
};

/// Throws Error unless @p tag can tag an image in an OCI image layout.
void check_layout_tag(const std::string& tag);

/// "debian" as docker wants it, "debian:latest". Throws Error where it is nothing that docker knows.
std::string docker_tag(const std::string& name);

} // namespace shale
