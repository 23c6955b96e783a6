// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/listed_layers.hpp"

#include <set>

#include <fcntl.h>

#include "base/at.hpp"

namespace shale {

void ListedLayer::take(LayerTree tree) {
    std::set<std::string> linked;
    for (const LayerObject& object : tree) {
        if (!object.link.empty())
            linked.insert(object.link);
    }
    for (LayerObject& object : tree) {
        if (!S_ISREG(object.mode) || !object.link.empty())
            continue;
        const bool has_one_name = !linked.contains(object.path);
        files.push_back({std::move(object), has_one_name});
    }
}

namespace {

/// Those of which there are not several are of no interest.
template <typename Groups> Groups several(Groups groups) {
    std::erase_if(groups, [](const auto& group) { return group.second.size() < 2; });
    return groups;
}

} // namespace

DataGroups equal_data(const std::vector<ListedLayer>& layers, uint64_t smallest) {
    DataGroups groups;
    for (size_t layer = 0; layer < layers.size(); ++layer) {
        for (size_t i = 0; i < layers[layer].files.size(); ++i) {
            const LayerObject& object = layers[layer].files[i].object;
            if (object.size >= smallest)
                groups[{object.size, object.content}].push_back({layer, i});
        }
    }
    return several(std::move(groups));
}

TwinGroups equal_files(const std::vector<ListedLayer>& layers) {
    TwinGroups groups;
    for (size_t layer = 0; layer < layers.size(); ++layer) {
        for (size_t i = 0; i < layers[layer].files.size(); ++i) {
            const ListedLayer::File& file = layers[layer].files[i];
            if (file.has_one_name)
                groups[text_of({file.object})].push_back({layer, i});
        }
    }
    return several(std::move(groups));
}

std::vector<UniqueFd> open_all(const std::vector<ListedLayer>& layers) {
    std::vector<UniqueFd> open;
    for (const ListedLayer& layer : layers)
        open.push_back(open_at(AT_FDCWD, layer.path, O_PATH | O_DIRECTORY));
    return open;
}

std::optional<tree::Object> find_file(int layer, const std::string& path) {
    const size_t slash = path.rfind('/');
    UniqueFd parent = try_open_beneath(layer, slash == std::string::npos ? "" : path.substr(0, slash),
                                       O_PATH | O_DIRECTORY);
    if (!parent)
        return std::nullopt;
    tree::Object object;
    object.place = {0, std::make_shared<const UniqueFd>(std::move(parent)), path.substr(slash + 1)}; // npos + 1 is 0
    object.data = object.place;
    const auto st = stat_at(object.place.parent->get(), object.place.name);
    if (!st || !S_ISREG(st->st_mode))
        return std::nullopt;
    object.st = *st;
    return object;
}

} // namespace shale
