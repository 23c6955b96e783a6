// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of Store that tells where the room has gone.
#include "store/usage.hpp"

#include <map>

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
    unsigned images = 0;
    bool is_active = false; ///< some image in use has it
};

uint64_t size_of(const std::string& path, Progress& progress) {
    uint64_t before = 0;
    return tree::measure(*tree::Layer::open(path), [&](const tree::Size& so_far) {
               progress.advance(so_far.bytes - before);
               before = so_far.bytes;
               if (progress.cancelled())
                   throw Cancelled(path);
           }).bytes;
}

void add(KindUsage& usage, const Part& part, bool is_used) {
    usage.count++;
    usage.active += is_used;
    usage.bytes += part.bytes;
    if (part.images > 1)
        usage.shared += part.bytes;
    if (!is_used)
        usage.reclaimable += part.bytes;
}

} // namespace

StoreUsage Store::usage(const IsMounted& is_mounted, const IsMounted& is_upper_mounted, Progress& progress) {
    const UseLock all_stays = hold();
    StoreUsage usage;
    std::map<Digest, Part> layers;
    std::map<Digest, Part> blobs;
    const UniqueFd directory = open_at(fd_.get(), "layers", O_RDONLY | O_DIRECTORY);
    for (const Digest& layer : digests_in(directory.get()))
        layers[layer].bytes = size_of(path_of_layer(layer), progress);
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
            layers[layer].images++;
            layers[layer].is_active |= is_used;
        }
        for (const Digest& blob : own_blobs) {
            if (const auto found = blobs.find(blob); found != blobs.end())
                found->second.images++;
        }
    }
    for (const auto& [digest, layer] : layers) {
        add(usage.layers, layer, layer.images > 0 || is_mounted(path_of_layer(digest)));
        if (layer.images == 0)
            continue;
        usage.images.bytes += layer.bytes;
        usage.images.shared += layer.images > 1 ? layer.bytes : 0;
        usage.images.reclaimable += layer.is_active ? 0 : layer.bytes;
    }
    for (const auto& [digest, blob] : blobs)
        add(usage.blobs, blob, blob.images > 0);
    for (const SnapshotRecord& snapshot : snapshots()) {
        Part part;
        if (stat_at(AT_FDCWD, snapshot.top()))
            part.bytes = size_of(snapshot.top(), progress);
        add(usage.snapshots, part, is_upper_mounted(snapshot.top()));
    }
    return usage;
}

} // namespace shale
