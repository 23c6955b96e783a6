// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "commands/image.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

struct Options {
    std::string image;
    std::string name;
};

constexpr const char* description =
    "Give an image another name. It keeps the one it has; both are the same layers.\n\n"
    "An image that has the new name loses it, unless a writable layer stands on it.";

constexpr const char* examples = "Examples:\n"
                                 "  shale image tag debian-12 debian:stable";

void run(const Options& options, const Globals& globals) {
    Store store = Store::open(globals.root);
    const ImageRecord image = store.tag_image(options.image, options.name);
    if (globals.json)
        print_json(to_json(store, image));
    else
        std::cout << printable(options.image) << " is " << printable(image.name) << ", too\n";
}

} // namespace

void add_image_tag(CLI::App& image, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = image.add_subcommand("tag", description);
    command->add_option("image", options->image, "Name of the image")->type_name("IMAGE")->required();
    command->add_option("name", options->name, "The other name")->type_name("NAME")->required();
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
