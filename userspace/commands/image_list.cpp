// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>

#include "commands/format.hpp"
#include "commands/image.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"

namespace shale {

namespace {

constexpr const char* description = "List the images in the store.";

void run(const Globals& globals) {
    std::optional<Store> store = existing_store(globals.root);
    const std::vector<ImageRecord> images = store ? store->images() : std::vector<ImageRecord>{};
    if (globals.json) {
        nlohmann::json document = nlohmann::json::array();
        for (const ImageRecord& image : images)
            document.push_back(to_json(*store, image));
        print_json(document);
        return;
    }
    if (images.empty()) {
        std::cerr << "no images yet: 'shale image import PATH:TAG' adds one\n";
        return;
    }
    Table table({"NAME", "LAYERS", "SIZE", "IMPORTED", "MANIFEST"});
    for (const ImageRecord& image : images)
        table.add({image.name, std::to_string(image.layers.size()),
                   size_text(static_cast<double>(image.size)), time_text(image.imported),
                   image.manifest_digest.text().substr(0, 19)});
    table.print(std::cout);
}

} // namespace

void add_image_list(CLI::App& image, Globals& globals) {
    CLI::App* list = image.add_subcommand("ls", description);
    add_json_flag(*list, globals);
    list->callback([&globals] { run(globals); });
}

} // namespace shale
