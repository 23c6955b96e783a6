// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/garbage.hpp"

#include <memory>
#include <optional>

#include "commands/format.hpp"
#include "commands/mounted.hpp"

namespace shale {

namespace {

nlohmann::json texts(const std::vector<Digest>& digests) {
    auto list = nlohmann::json::array();
    for (const Digest& digest : digests)
        list.push_back(digest.text());
    return list;
}

} // namespace

IsMounted mounted_layers() {
    // Looked for when the store is locked, and not before: the module may be loaded meanwhile.
    return [mounted = std::make_shared<std::optional<MountedDirectories>>()](const std::string& path) {
        if (!*mounted)
            mounted->emplace();
        return (*mounted)->has_layer(path);
    };
}

std::string garbage_text(const Garbage& garbage) {
    if (garbage.empty())
        return "nothing";
    return count_text(garbage.layers.size(), "layer") + " and " +
           count_text(garbage.blobs.size(), "blob") + " of " +
           size_text(static_cast<double>(garbage.blob_bytes));
}

nlohmann::json garbage_json(const Garbage& garbage) {
    return {{"layers", texts(garbage.layers)},
            {"blobs", texts(garbage.blobs)},
            {"blob_bytes", garbage.blob_bytes},
            {"mounted", texts(garbage.mounted)}};
}

} // namespace shale
