// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/image.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Bring container images into the store and out of it, list, look into and remove them.";

} // namespace

nlohmann::json texts(const std::vector<Digest>& digests) {
    auto list = nlohmann::json::array();
    for (const Digest& digest : digests)
        list.push_back(digest.text());
    return list;
}

nlohmann::json to_json(const Store& store, const ImageRecord& image) {
    nlohmann::json layers = nlohmann::json::array();
    for (const LayerRecord& layer : image.layers)
        layers.push_back({{"diff_id", layer.diff_id.text()},
                          {"chain_id", layer.chain_id.text()},
                          {"blob", layer.blob.text()},
                          {"size", layer.size},
                          {"path", store.layer_path(layer)}});
    return {{"name", image.name},
            {"manifest", image.manifest_digest.text()},
            {"config", image.config_digest.text()},
            {"size", image.size},
            {"imported", image.imported},
            {"layers", layers}};
}

void add_image_command(CLI::App& app, Globals& globals) {
    CLI::App* image = app.add_subcommand("image", description);
    image->require_subcommand(1);
    add_image_import(*image, globals);
    add_image_export(*image, globals);
    add_image_list(*image, globals);
    add_image_inspect(*image, globals);
    add_image_history(*image, globals);
    add_image_tag(*image, globals);
    add_image_remove(*image, globals);
    add_image_verify(*image, globals);
    add_image_prune(*image, globals);
    add_image_pull(*image, globals);
    add_image_push(*image, globals);
}

} // namespace shale
