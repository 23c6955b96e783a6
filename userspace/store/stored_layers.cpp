// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of Store that tells of layers, and finds those that are meant.
#include <algorithm>
#include <charconv>
#include <map>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "store/names.hpp"
#include "store/store.hpp"

namespace shale {

namespace {

bool begins_with(const Digest& digest, const std::string& text) {
    return !digest.empty() && (digest.hex().starts_with(text) || digest.text().starts_with(text));
}

/// "IMAGE:N"; N is 0 where that is no number.
StoredLayer::Use parse_use(const std::string& text) {
    const size_t colon = text.rfind(':');
    StoredLayer::Use use;
    if (colon == std::string::npos)
        return use;
    use.image = text.substr(0, colon);
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data() + colon + 1, end, use.number);
    if (failure != std::errc() || stop != end)
        use.number = 0;
    return use;
}

} // namespace

std::vector<StoredLayer> Store::layers() {
    std::vector<StoredLayer> layers;
    std::map<Digest, size_t> indices;
    for (const ImageRecord& image : images()) {
        std::vector<Digest> below;
        for (size_t i = 0; i < image.layers.size(); ++i) {
            const LayerRecord& record = image.layers[i];
            const auto [index, is_new] = indices.try_emplace(record.chain_id, layers.size());
            if (is_new)
                layers.push_back({.record = record, .path = layer_path(record), .below = {below.rbegin(), below.rend()}});
            layers[index->second].uses.push_back({image.name, i + 1});
            below.push_back(record.chain_id);
        }
    }
    for (const SnapshotRecord& snapshot : snapshots()) {
        for (StoredLayer& layer : layers) {
            const auto is_its = [&](const StoredLayer::Use& use) { return use.image == snapshot.image; };
            if (std::any_of(layer.uses.begin(), layer.uses.end(), is_its))
                layer.snapshots.push_back(snapshot.name);
        }
    }
    const UniqueFd directory = open_at(fd_.get(), "layers", O_RDONLY | O_DIRECTORY);
    for (const Digest& chain_id : digests_in(directory.get())) {
        if (indices.contains(chain_id))
            continue;
        LayerRecord record;
        record.chain_id = chain_id;
        layers.push_back({.record = catalog_.layer(chain_id).value_or(record), .path = path_of_layer(chain_id)});
    }
    return layers;
}

StoredLayer Store::layer(const std::string& text) {
    std::vector<StoredLayer> layers = this->layers();
    const StoredLayer::Use meant = parse_use(text);
    if (meant.number > 0 && catalog_.image(meant.image)) {
        for (StoredLayer& layer : layers) {
            for (const StoredLayer::Use& use : layer.uses) {
                if (use.image == meant.image && use.number == meant.number)
                    return std::move(layer);
            }
        }
        throw Error("layer '" + text + "'", "image '" + meant.image + "' has only " +
                                                std::to_string(image(meant.image).layers.size()) + " of them");
    }
    std::vector<StoredLayer> found;
    for (StoredLayer& layer : layers) {
        if (!text.empty() && (begins_with(layer.record.diff_id, text) || begins_with(layer.record.chain_id, text)))
            found.push_back(std::move(layer));
    }
    if (found.empty())
        throw Error("layer '" + text + "'", "not in the store " + root_,
                    "'shale layer ls' lists what is there; IMAGE:N is layer N of an image, from the bottom");
    if (found.size() > 1)
        throw Error("layer '" + text + "'", "may be " + found[0].record.chain_id.text() + " or " +
                                                found[1].record.chain_id.text(),
                    "give more of its digest; or, where that does not help, of its chain id");
    return std::move(found.front());
}

} // namespace shale
