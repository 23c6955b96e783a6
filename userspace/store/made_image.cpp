// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/made_image.hpp"

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale {

namespace {

std::string import_again(const std::string& image) {
    return "import image '" + image + "' again, which does not unpack its layers again";
}

UniqueFd make_blobs(int directory) {
    make_directory_at(directory, "blobs", 0700);
    make_directory_at(directory, "blobs/sha256", 0700);
    return open_at(directory, "blobs/sha256", O_RDONLY | O_DIRECTORY);
}

} // namespace

MadeBlobs::MadeBlobs(const Workplace& work, const std::string& image)
    : directory_(work.make("made")), blobs_(make_blobs(directory_.get())),
      named_(directory_.get(), "the new image", import_again(image)) {}

void MadeBlobs::put(const oci::Descriptor& blob, const std::string& content) const {
    const UniqueFd file = open_at(blobs_.get(), blob.digest.hex(), O_WRONLY | O_CREAT | O_EXCL, 0444);
    write_all_at(file.get(), content.data(), content.size(), 0, named_.path(blob.digest));
}

void MadeBlobs::take(const Digest& blob, const BlobStore& blobs) const {
    if (!stat_at(blobs_.get(), blob.hex())) // several layers may have the same
        link_at(blobs.fd(), blob.hex(), blobs_.get(), blob.hex());
}

LayerBlob::LayerBlob(const MadeBlobs& made, oci::Compression compression)
    : made_(made), compression_(compression),
      file_(open_at(made.fd(), "layer", O_WRONLY | O_CREAT | O_EXCL, 0444)),
      compressor_(oci::make_compressor(compression, [this](auto bytes) { append(bytes); })) {}

void LayerBlob::write(std::span<const std::byte> tar) {
    tar_.update(tar.data(), tar.size());
    compressor_->write(tar);
}

oci::LayerDescriptor LayerBlob::finish() {
    compressor_->finish();
    oci::LayerDescriptor layer;
    layer.diff_id = tar_.finish();
    layer.blob.media_type = std::string("application/vnd.oci.image.layer.v1.tar+") + oci::name_of(compression_);
    layer.blob.digest = blob_.finish();
    layer.blob.size = size_;
    rename_at(made_.fd(), "layer", made_.fd(), layer.blob.digest.hex());
    return layer;
}

void LayerBlob::append(std::span<const std::byte> bytes) {
    blob_.update(bytes.data(), bytes.size());
    write_all_at(file_.get(), bytes.data(), bytes.size(), size_, "the new layer");
    size_ += bytes.size();
}

oci::Manifest manifest_of(const ImageRecord& image, const BlobStore& blobs) {
    const std::string thing = "image '" + image.name + "'";
    const std::optional<uint64_t> size = blobs.size_of(image.manifest_digest);
    if (!image.has_blobs() || !size)
        throw Error(thing, "its manifest was not kept, which the new image's is made of",
                    import_again(image.name));
    oci::Descriptor descriptor;
    descriptor.media_type = image.media_type;
    descriptor.digest = image.manifest_digest;
    descriptor.size = *size;
    oci::Manifest manifest = oci::parse_manifest(blobs.directory().read(descriptor), thing);
    if (manifest.layers.size() != image.layers.size())
        throw Error(thing, "its manifest has another number of layers", import_again(image.name));
    for (size_t i = 0; i < manifest.layers.size(); i++) {
        manifest.layers[i].diff_id = image.layers[i].diff_id;
        if (!blobs.has(manifest.layers[i].blob))
            throw Error(thing, "layer " + std::to_string(i + 1) + " has no blob in the store any more",
                        import_again(image.name));
    }
    manifest.config = image.config;
    return manifest;
}

} // namespace shale
