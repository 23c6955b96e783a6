// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of Store that tells where the room has gone.
#include "store/usage.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "store/blob_store.hpp"
#include "store/names.hpp"
#include "store/store.hpp"
#include "tree/measure.hpp"

namespace shale {

namespace {

/// What several images may have.
struct Part {
    uint64_t bytes = 0;
    std::set<std::string> images{};
    bool is_active = false; ///< some image in use has it
    bool is_used = false;   ///< by an image, or mounted
};

uint64_t size_of(const std::string& path, Progress& progress, tree::SharedFiles* shared = nullptr) {
    const tree::Size size = tree::measure(*tree::Layer::open(path), progress, shared);
    return size.bytes - (shared ? size.shared_bytes : 0);
}

/// The room that @p part takes, which may be a part of something that was counted.
void add_room(KindUsage& usage, const Part& part, bool is_used) {
    usage.bytes += part.bytes;
    if (part.images.size() > 1)
        usage.shared += part.bytes;
    if (!is_used)
        usage.reclaimable += part.bytes;
}

void add(KindUsage& usage, const Part& part, bool is_used) {
    usage.count++;
    usage.active += is_used;
    add_room(usage, part, is_used);
}

using Layers = std::map<Digest, Part>;

/// Files that several layers have ("layer dedup --hardlink"): in use with any of them, gone with the last.
class FilesOfSeveral {
public:
    void add(const Digest& layer, const tree::SharedFiles& files) {
        for (const auto& [identity, bytes] : files) {
            File& file = files_[identity];
            file.bytes = bytes;
            file.layers.push_back(layer);
        }
    }

    std::vector<Part> parts(const Layers& layers) const {
        std::map<std::vector<Digest>, Part> parts;
        for (const auto& [identity, file] : files_) {
            Part& part = parts[file.layers];
            part.bytes += file.bytes;
            for (const Digest& digest : file.layers) {
                const Part& layer = layers.at(digest);
                part.images.insert(layer.images.begin(), layer.images.end());
                part.is_active |= layer.is_active;
                part.is_used |= layer.is_used;
            }
        }
        std::vector<Part> all;
        for (auto& [of, part] : parts)
            all.push_back(std::move(part));
        return all;
    }

private:
    struct File {
        uint64_t bytes = 0;
        std::vector<Digest> layers{};
    };
    std::map<tree::Identity, File> files_;
};

/// As far as it is of images.
void add_to_images(KindUsage& images, const Part& part) {
    if (!part.images.empty())
        add_room(images, part, part.is_active);
}

} // namespace

StoreUsage Store::usage(const IsMounted& is_mounted, const IsMounted& is_upper_mounted, Progress& progress) {
    const UseLock all_stays = hold();
    StoreUsage usage;
    Layers layers;
    FilesOfSeveral linked;
    std::map<Digest, Part> blobs;
    const UniqueFd directory = open_at(fd_.get(), "layers", O_RDONLY | O_DIRECTORY);
    for (const Digest& layer : digests_in(directory.get())) {
        tree::SharedFiles shared;
        layers[layer].bytes = size_of(path_of_layer(layer), progress, &shared);
        linked.add(layer, shared);
    }
    const BlobStore blob_store(fd_.get(), root_);
    for (const Digest& blob : digests_in(blob_store.fd()))
        blobs[blob].bytes = blob_store.size_of(blob).value_or(0);

    for (const ImageRecord& image : images()) {
        const bool is_used = is_image_used(image, is_mounted);
        usage.images.count++;
        usage.images.active += is_used;
        std::set<Digest> own_layers;
        std::set<Digest> own_blobs = {image.manifest_digest, image.config_digest};
        for (const LayerRecord& layer : image.layers) {
            own_layers.insert(layer.chain_id);
            own_blobs.insert(layer.blob);
        }
        for (const Digest& layer : own_layers) {
            layers[layer].images.insert(image.name);
            layers[layer].is_active |= is_used;
        }
        for (const Digest& blob : own_blobs) {
            if (const auto found = blobs.find(blob); found != blobs.end())
                found->second.images.insert(image.name);
        }
    }
    for (auto& [digest, layer] : layers) {
        layer.is_used = !layer.images.empty() || is_mounted(path_of_layer(digest));
        add(usage.layers, layer, layer.is_used);
        add_to_images(usage.images, layer);
    }
    for (const Part& part : linked.parts(layers)) {
        add_room(usage.layers, part, part.is_used);
        add_to_images(usage.images, part);
    }
    for (const auto& [digest, blob] : blobs)
        add(usage.blobs, blob, !blob.images.empty());
    for (const SnapshotRecord& snapshot : snapshots()) {
        Part part;
        if (stat_at(AT_FDCWD, snapshot.top()))
            part.bytes = size_of(snapshot.top(), progress);
        add(usage.snapshots, part, is_upper_mounted(snapshot.top()));
    }
    return usage;
}

} // namespace shale
