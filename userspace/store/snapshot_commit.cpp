// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of Store that makes layers of images out of writable layers.
#include <ctime>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "oci/derived_image.hpp"
#include "store/blob_store.hpp"
#include "store/changed_layer.hpp"
#include "store/image_intake.hpp"
#include "store/names.hpp"
#include "store/still_snapshot.hpp"
#include "store/store.hpp"

namespace shale {

namespace {

std::string import_again(const std::string& image) {
    return "import image '" + image + "' again, which does not unpack its layers again";
}

/// Blobs that are made for an image: ROOT/staging/OWN/made/blobs/sha256.
struct MadeBlobs {
    MadeBlobs(const Workplace& work, const std::string& image)
        : directory(work.make("made")), blobs(make_blobs(directory.get())),
          named(directory.get(), "the new image", import_again(image)) {}

    static UniqueFd make_blobs(int directory) {
        make_directory_at(directory, "blobs", 0700);
        make_directory_at(directory, "blobs/sha256", 0700);
        return open_at(directory, "blobs/sha256", O_RDONLY | O_DIRECTORY);
    }

    void put(const oci::Descriptor& blob, const std::string& content) const {
        const UniqueFd file = open_at(blobs.get(), blob.digest.hex(), O_WRONLY | O_CREAT | O_EXCL, 0444);
        write_all_at(file.get(), content.data(), content.size(), 0, named.path(blob.digest));
    }

    UniqueFd directory;
    UniqueFd blobs;
    oci::BlobDirectory named;
};

/// The layer blob while it is written: a tar, digested, compressed, digested again.
class LayerBlob {
public:
    LayerBlob(const MadeBlobs& made, oci::Compression compression)
        : made_(made), compression_(compression),
          file_(open_at(made.blobs.get(), "layer", O_WRONLY | O_CREAT | O_EXCL, 0444)),
          compressor_(oci::make_compressor(compression, [this](auto bytes) { append(bytes); })) {}

    void write(std::span<const std::byte> tar) {
        tar_.update(tar.data(), tar.size());
        compressor_->write(tar);
    }

    oci::LayerDescriptor finish() {
        compressor_->finish();
        oci::LayerDescriptor layer;
        layer.diff_id = tar_.finish();
        layer.blob.media_type =
            std::string("application/vnd.oci.image.layer.v1.tar+") + oci::name_of(compression_);
        layer.blob.digest = blob_.finish();
        layer.blob.size = size_;
        rename_at(made_.blobs.get(), "layer", made_.blobs.get(), layer.blob.digest.hex());
        return layer;
    }

private:
    void append(std::span<const std::byte> bytes) {
        blob_.update(bytes.data(), bytes.size());
        write_all_at(file_.get(), bytes.data(), bytes.size(), size_, "the new layer");
        size_ += bytes.size();
    }

    const MadeBlobs& made_;
    oci::Compression compression_;
    UniqueFd file_;
    Sha256 tar_;
    Sha256 blob_;
    uint64_t size_ = 0;
    std::unique_ptr<oci::Compressor> compressor_;
};

/// Of what @p image came from, as far as the store has kept it.
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

void write_layer(const StillSnapshot& still, std::optional<int64_t> epoch, const oci::Sink& sink,
                 Progress& progress) {
    Omissions omissions;
    oci::LayerWriter writer(sink, "the new layer");
    write_changed_layer(still.before(), still.after(), epoch, writer, omissions, progress);
    still.check();
    writer.finish();
    omissions.report(progress);
}

} // namespace

ImageRecord Store::commit_snapshot(const std::string& name, const CommitOptions& options,
                                   const UpperAccess& access, Progress& progress) {
    check_image_name(options.image);
    oci::check_text("author", options.author);
    oci::check_text("message", options.message);
    if (const auto other = catalog_.snapshot_of(options.image))
        throw Error("image '" + options.image + "'", "carries the " + called(*other),
                    "choose another name for the new one");
    const Workplace work(fd_.get());
    const UseLock layers_stay = hold();
    std::optional<UseLock> snapshots_stay = hold_snapshots();
    const SnapshotRecord snapshot = writable_snapshot(name);
    const ImageRecord image = this->image(snapshot.image);
    const oci::Manifest parent = manifest_of(image, BlobStore(fd_.get(), root_));
    const MadeBlobs made(work, image.name);

    oci::Step step;
    {
        const StillSnapshot still(fd_.get(), snapshot, layer_paths(image), work.staging, access, progress);
        snapshots_stay.reset();
        LayerBlob blob(made, options.compression);
        progress.begin_layer(image.layers.size() + 1, image.layers.size() + 1, 0);
        write_layer(still, options.epoch, [&](auto bytes) { blob.write(bytes); }, progress);
        step.layer = blob.finish();
    }
    step.created = static_cast<std::time_t>(options.epoch.value_or(std::time(nullptr)));
    step.created_by = "shale snapshot commit";
    step.author = options.author;
    step.comment = options.message;
    const oci::Manifest made_image = oci::derive(parent, step, "image '" + image.name + "'");
    made.put(made_image.config_blob, made_image.config);
    made.put(made_image.descriptor, made_image.text);
    return take_in(made_image, made.named, BlobOwner::us, options.image, {root_, fd_.get(), catalog_}, work,
                   progress);
}

void Store::write_changes(const std::string& name, std::optional<int64_t> epoch, const UpperAccess& access,
                          const oci::Sink& sink, Progress& progress) {
    const Staging staging(fd_.get());
    const UseLock layers_stay = hold();
    std::optional<UseLock> snapshots_stay = hold_snapshots();
    const SnapshotRecord snapshot = writable_snapshot(name);
    const StillSnapshot still(fd_.get(), snapshot, layer_paths(image(snapshot.image)), staging, access,
                              progress);
    snapshots_stay.reset();
    write_layer(still, epoch, sink, progress);
}

} // namespace shale
