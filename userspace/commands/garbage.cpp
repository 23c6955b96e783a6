// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/garbage.hpp"

#include <memory>
#include <optional>

#include "base/error.hpp"
#include "commands/format.hpp"
#include "commands/image.hpp"
#include "commands/mounted.hpp"
#include "commands/target.hpp"

namespace shale {

IsMounted mounted_layers() {
    // Looked for when the store is locked, and not before: the module may be loaded meanwhile.
    return [mounted = std::make_shared<std::optional<MountedDirectories>>()](const std::string& path) {
        if (!*mounted)
            mounted->emplace();
        return (*mounted)->has_layer(path);
    };
}

Garbage collect(const CollectOptions& options, const Globals& globals) {
    auto store = existing_store(globals.root);
    const auto found = store ? store->collect(options, mounted_layers()) : Garbage{};
    if (!found)
        throw Error("store " + store->root(), "something is being imported, exported or mounted",
                    "try again when that is done");
    return *found;
}

std::string mounted_text(const Garbage& garbage) {
    if (garbage.mounted.empty())
        return "";
    return "; " + count_text(garbage.mounted.size(), "layer") + " that no image has any more: mounted, and left alone";
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
