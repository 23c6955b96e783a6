// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/image_intake.hpp"

#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "store/blob_store.hpp"
#include "store/layer_import.hpp"
#include "store/publication.hpp"
#include "store/tree_store.hpp"

namespace shale {

namespace {

/// As OCI defines it: the digest over the chain below and this layer.
Digest chain(const Digest& below, const Digest& diff_id) {
    return below.empty() ? diff_id : Digest::of(below.text() + " " + diff_id.text());
}

/// One image on its way in: plan, extract, publish.
class ImageIntake {
public:
    ImageIntake(const oci::BlobDirectory& source, BlobOwner owner, oci::Manifest manifest,
                const std::string& name, const ImportTarget& store, const Workplace& work,
                Progress& progress)
        : manifest_(std::move(manifest)), store_(store), progress_(progress), work_(work),
          layers_(open_at(store.fd, "layers", O_RDONLY | O_DIRECTORY)),
          blob_store_(store.fd, store.root), trees_(store.fd, store.root),
          source_(source), blobs_(source, owner, blob_store_, work.blobs.get()) {
        image_.name = name;
        image_.manifest_digest = manifest_.descriptor.digest;
        image_.media_type = manifest_.descriptor.media_type;
        image_.config_digest = manifest_.config_blob.digest;
        image_.config = manifest_.config;
    }

    /// Decides which layers and blobs have to be read, and sees that they are there and whole
    /// before much work goes into the first of them.
    void plan() {
        check_replaces();
        blobs_.expect(manifest_.descriptor);
        blobs_.expect(manifest_.config_blob);
        Digest below;
        for (const oci::LayerDescriptor& layer : manifest_.layers) {
            below = chain(below, layer.diff_id);
            std::optional<LayerRecord> known = store_.catalog.layer(below);
            if (known && !stat_at(layers_.get(), below.hex()))
                known.reset(); // somebody removed the directory: make it again
            missing_.push_back(!known);
            LayerRecord record = known.value_or(LayerRecord{layer.diff_id, below, {}, 0, {}});
            record.blob = layer.blob.digest;
            image_.layers.push_back(record);
            blobs_.expect(layer.blob);
            if (!known)
                source_.open(layer.blob);
        }
    }

    void extract() {
        bool anything = blobs_.lacks(manifest_.descriptor) || blobs_.lacks(manifest_.config_blob);
        for (size_t i = 0; i < missing_.size(); i++) {
            const oci::Descriptor& blob = manifest_.layers[i].blob;
            anything |= missing_[i] || blobs_.lacks(blob);
            if (missing_[i])
                extract_layer(i);
            else if (blobs_.lacks(blob))
                take_blob(i);
            if (!missing_[i])
                progress_.reuse_layer(i + 1, missing_.size());
            image_.size += image_.layers[i].size;
        }
        blobs_.put(manifest_.descriptor, manifest_.text);
        blobs_.put(manifest_.config_blob, manifest_.config);
        if (anything && syncfs(store_.fd) != 0)
            throw Error::from_errno(store_.root, errno);
    }

    ImageRecord publish() {
        image_.imported = std::time(nullptr);
        Transaction transaction = store_.catalog.begin();
        // Inside the transaction: taken back, if need be, before anybody else can rely on it.
        Publication layers(work_.layers.get(), layers_.get());
        Publication blobs(work_.blobs.get(), blob_store_.fd());
        Publication trees(work_.trees.get(), trees_.fd());
        check_replaces();
        for (size_t i = 0; i < missing_.size(); i++) {
            LayerRecord& layer = image_.layers[i];
            if (missing_[i]) {
                publish_layer(layer, layers, trees);
            } else if (!stat_at(layers_.get(), layer.chain_id.hex())) {
                throw Error(directory(layer), "was removed meanwhile", "try again");
            }
            store_.catalog.put_layer(layer);
        }
        blobs_.publish(blobs);
        trees.sync();
        layers.sync();
        blobs.sync();
        store_.catalog.put_image(image_);
        transaction.commit();
        layers.keep();
        blobs.keep();
        trees.keep();
        omissions_.report(progress_);
        return std::move(image_);
    }

private:
    /// A writable layer makes sense on the image it was made for only.
    void check_replaces() {
        if (const auto snapshot = store_.catalog.snapshot_in_the_way(image_))
            throw Error("image '" + image_.name + "'",
                        "another image of this name carries the " + called(*snapshot),
                        "choose another name");
    }

    /// Where somebody else was faster, theirs stays, whose times of whiteouts are others; so does their list, or there
    /// is none, if the database does not know the directory.
    void publish_layer(LayerRecord& layer, Publication& layers, Publication& trees) {
        if (!layers.publish(layer.chain_id.hex())) {
            const std::optional<LayerRecord> theirs = store_.catalog.layer(layer.chain_id);
            layer.tree = theirs ? theirs->tree : Digest();
        } else if (stat_at(work_.trees.get(), layer.tree.hex())) { // not twice, where two layers hold the same
            trees.publish(layer.tree.hex());
        }
    }

    std::string directory(const LayerRecord& layer) const {
        return store_.root + "/layers/" + layer.chain_id.hex();
    }

    /// The layers below number @p index, top first, each where it is now.
    LowerLayers below(size_t index) const {
        std::vector<std::string> paths;
        while (index-- > 0) {
            const LayerRecord& layer = image_.layers[index];
            paths.push_back(missing_[index] ? "/proc/self/fd/" + std::to_string(work_.layers.get()) +
                                                  "/" + layer.chain_id.hex()
                                            : directory(layer));
        }
        return LowerLayers(std::move(paths));
    }

    void extract_layer(size_t index) {
        const oci::LayerDescriptor& layer = manifest_.layers[index];
        LayerRecord& record = image_.layers[index];
        const int staging = work_.layers.get();
        progress_.begin_layer(index + 1, missing_.size(), layer.blob.size);
        make_directory_at(staging, record.chain_id.hex(), 0700);
        const UniqueFd target = open_at(staging, record.chain_id.hex(), O_RDONLY | O_DIRECTORY);
        const std::unique_ptr<oci::BlobSource> blob = blobs_.open(layer.blob, progress_);
        ContentDigests contents;
        record.size = import_layer(*blob, layer, target.get(), below(index), omissions_, contents, progress_);
        record.tree = trees_.record(target.get(), blob->shown(), contents, work_.trees.get(), progress_);
    }

    /// For a layer whose directory is there and whose blob is not kept yet.
    void take_blob(size_t index) {
        const oci::Descriptor& blob = manifest_.layers[index].blob;
        progress_.begin_layer(index + 1, missing_.size(), blob.size);
        blobs_.open(blob, progress_)->verify();
    }

    const oci::Manifest manifest_;
    const ImportTarget& store_;
    Progress& progress_;
    const Workplace& work_;
    UniqueFd layers_;
    BlobStore blob_store_;
    TreeStore trees_;
    const oci::BlobDirectory& source_;
    BlobIntake blobs_;
    ImageRecord image_;
    std::vector<bool> missing_; ///< by layer: has to be extracted
    Omissions omissions_;
};

} // namespace

ImageRecord take_in(oci::Manifest manifest, const oci::BlobDirectory& source, BlobOwner owner,
                    const std::string& name, const ImportTarget& store, const Workplace& work,
                    Progress& progress) {
    ImageIntake intake(source, owner, std::move(manifest), name, store, work, progress);
    intake.plan();
    intake.extract();
    return intake.publish();
}

} // namespace shale
