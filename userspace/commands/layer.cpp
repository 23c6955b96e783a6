// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale layer: the layers that images are made of, one by one.
#include "commands/layer.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "commands/image.hpp"

namespace shale {

namespace {

constexpr const char* description = "List the layers in the store, look into them, and work on them.";

constexpr const char* examples = "Examples:\n"
                                 "  shale layer ls\n"
                                 "  shale layer show debian:1           the bottom layer of an image\n"
                                 "  shale layer diff app-1:3 app-2:3    what another build made otherwise";

nlohmann::json text_or_null(const Digest& digest) {
    return digest.empty() ? nlohmann::json() : nlohmann::json(digest.text());
}

} // namespace

std::string short_text(const Digest& digest) {
    return digest.empty() ? "-" : digest.text().substr(0, 19);
}

std::string to_text(const StoredLayer::Use& use) {
    return use.image + ":" + std::to_string(use.number);
}

tree::Size measure(const StoredLayer& layer, ImageProgress& progress) {
    if (!std::filesystem::is_directory(layer.path))
        return {}; // "image verify" is who complains
    return tree::measure(*tree::Layer::open(layer.path), progress);
}

nlohmann::json to_json(const StoredLayer& layer, const tree::Size& size, bool mounted) {
    auto uses = nlohmann::json::array();
    for (const StoredLayer::Use& use : layer.uses)
        uses.push_back({{"image", use.image}, {"number", use.number}});
    return {{"diff_id", text_or_null(layer.record.diff_id)},
            {"chain_id", layer.record.chain_id.text()},
            {"path", layer.path},
            {"tar_size", layer.record.size},
            {"bytes", size.bytes},
            {"unique_bytes", size.bytes - size.shared_bytes},
            {"shared_bytes", size.shared_bytes},
            {"shared_files", size.shared_files},
            {"files", size.files},
            {"directories", size.directories},
            {"whiteouts", size.whiteouts},
            {"opaque", size.opaque},
            {"images", uses},
            {"snapshots", layer.snapshots},
            {"mounted", mounted},
            {"below", texts(layer.below)}};
}

void add_layer_command(CLI::App& app, Globals& globals) {
    CLI::App* layer = app.add_subcommand("layer", description);
    layer->require_subcommand(1);
    layer->footer(examples);
    add_layer_list(*layer, globals);
    add_layer_show(*layer, globals);
    add_layer_diff(*layer, globals);
    add_layer_merge(*layer, globals);
    add_layer_squash(*layer, globals);
    add_layer_dedup(*layer, globals);
}

} // namespace shale
