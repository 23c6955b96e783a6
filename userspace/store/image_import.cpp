// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/image_import.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "oci/manifest.hpp"
#include "store/layer_import.hpp"
#include "store/names.hpp"
#include "store/publication.hpp"
#include "store/staging.hpp"

namespace shale {

namespace {

std::string default_name(const oci::Layout& layout, const oci::Manifest& manifest) {
    if (!manifest.tag.empty())
        return manifest.tag;
    return std::filesystem::weakly_canonical(layout.path()).filename();
}

/// As OCI defines it: the digest over the chain below and this layer.
Digest chain(const Digest& below, const Digest& diff_id) {
    return below.empty() ? diff_id : Digest::of(below.text() + " " + diff_id.text());
}

/// One import: plan, extract, publish.
class ImageImport {
public:
    ImageImport(const oci::Layout& layout, oci::Manifest manifest, const std::string& name,
                const ImportTarget& store, const Staging& staging, Progress& progress)
        : layout_(layout), manifest_(std::move(manifest)), store_(store), progress_(progress),
          staging_(staging), layers_(open_at(store.fd, "layers", O_RDONLY | O_DIRECTORY)) {
        image_.name = name;
        image_.manifest_digest = manifest_.digest;
        image_.config = manifest_.config;
    }

    /// Decides which layers have to be read, and sees that their blobs are there and whole before
    /// much work goes into the first of them.
    void plan() {
        check_replaces();
        Digest below;
        for (const oci::LayerDescriptor& layer : manifest_.layers) {
            below = chain(below, layer.diff_id);
            std::optional<LayerRecord> known = store_.catalog.layer(below);
            if (known && !stat_at(layers_.get(), below.hex()))
                known.reset(); // somebody removed the directory: make it again
            missing_.push_back(!known);
            LayerRecord record = known.value_or(LayerRecord{layer.diff_id, below, {}, 0});
            record.blob = layer.blob.digest;
            image_.layers.push_back(record);
            if (!known)
                layout_.open_blob(layer.blob);
        }
    }

    void extract() {
        for (size_t i = 0; i < missing_.size(); i++) {
            if (missing_[i])
                extract_layer(i);
            else
                progress_.reuse_layer(i + 1, missing_.size());
            image_.size += image_.layers[i].size;
        }
        if (std::find(missing_.begin(), missing_.end(), true) == missing_.end())
            return;
        if (syncfs(store_.fd) != 0)
            throw Error::from_errno(store_.root, errno);
    }

    ImageRecord publish() {
        image_.imported = std::time(nullptr);
        Transaction transaction = store_.catalog.begin();
        // Inside the transaction: taken back, if need be, before anybody else can rely on it.
        Publication publication(staging_.fd(), layers_.get());
        check_replaces();
        for (size_t i = 0; i < missing_.size(); i++) {
            const LayerRecord& layer = image_.layers[i];
            if (missing_[i])
                publication.publish(layer.chain_id.hex());
            else if (!stat_at(layers_.get(), layer.chain_id.hex()))
                throw Error(directory(layer), "was removed during the import", "import again");
            store_.catalog.put_layer(layer);
        }
        publication.sync();
        store_.catalog.put_image(image_);
        transaction.commit();
        publication.keep();
        omissions_.report(progress_);
        return std::move(image_);
    }

private:
    /// A writable layer makes sense on the image it was made for only.
    void check_replaces() {
        const std::optional<ImageRecord> before = store_.catalog.image(image_.name);
        if (!before || before->manifest_digest == image_.manifest_digest)
            return;
        if (const std::optional<std::string> snapshot = store_.catalog.snapshot_of(image_.name))
            throw Error("image '" + image_.name + "'",
                        "another image of this name carries the writable layer '" + *snapshot + "'",
                        "import under another name with --name");
    }

    std::string directory(const LayerRecord& layer) const {
        return store_.root + "/layers/" + layer.chain_id.hex();
    }

    /// The layers below number @p index, top first, each where it is now.
    LowerLayers below(size_t index) const {
        std::vector<std::string> paths;
        while (index-- > 0) {
            const LayerRecord& layer = image_.layers[index];
            paths.push_back(missing_[index] ? "/proc/self/fd/" + std::to_string(staging_.fd()) +
                                                  "/" + layer.chain_id.hex()
                                            : directory(layer));
        }
        return LowerLayers(std::move(paths));
    }

    void extract_layer(size_t index) {
        const oci::LayerDescriptor& layer = manifest_.layers[index];
        LayerRecord& record = image_.layers[index];
        progress_.begin_layer(index + 1, missing_.size(), layer.blob.size);
        make_directory_at(staging_.fd(), record.chain_id.hex(), 0700);
        const UniqueFd target =
            open_at(staging_.fd(), record.chain_id.hex(), O_RDONLY | O_DIRECTORY);
        record.size =
            import_layer(layout_, layer, target.get(), below(index), omissions_, progress_);
    }

    const oci::Layout& layout_;
    const oci::Manifest manifest_;
    const ImportTarget& store_;
    Progress& progress_;
    const Staging& staging_;
    UniqueFd layers_;
    ImageRecord image_;
    std::vector<bool> missing_; ///< by layer: has to be extracted
    Omissions omissions_;
};

} // namespace

ImageRecord import_image(const std::string& path, const std::string& tag, const std::string& name,
                         const ImportTarget& store, Progress& progress) {
    // First, so that even an import that comes to nothing cleans up after a crashed one.
    const Staging staging(store.fd);
    const oci::Layout layout(path);
    oci::Manifest manifest = oci::read_manifest(layout, tag);
    const std::string chosen = name.empty() ? default_name(layout, manifest) : name;
    check_image_name(chosen);
    ImageImport import(layout, std::move(manifest), chosen, store, staging, progress);
    import.plan();
    import.extract();
    return import.publish();
}

} // namespace shale
