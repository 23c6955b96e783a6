// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "base/error.hpp"
#include "base/join.hpp"
#include "commands/format.hpp"
#include "commands/garbage.hpp"
#include "commands/image.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

struct Options {
    std::vector<std::string> images;
};

constexpr const char* description =
    "Remove images, with the layers and blobs that no other image has.\n\n"
    "An image that carries a writable layer stays: \"shale snapshot ls\" lists these. Layers that are\n"
    "mounted stay until \"shale gc\" finds them unmounted.";

constexpr const char* examples = "Examples:\n"
                                 "  shale image rm debian-12 debian:stable";

std::string what_went(const std::optional<Garbage>& garbage) {
    if (!garbage)
        return "; something is being imported, exported or mounted: \"shale gc\" frees room when that is done";
    std::string text = garbage->empty() ? "; all that it had is in use"
                                        : ", and " + garbage_text(*garbage) + " that no image has";
    if (!garbage->mounted.empty())
        text += "; " + count_text(garbage->mounted.size(), "layer") +
                (garbage->mounted.size() == 1 ? " stays" : " stay") + " while mounted";
    return text;
}

std::optional<Garbage> collect(Store& store, const Options& options) {
    try {
        return store.collect({}, mounted_layers());
    } catch (const Error& error) {
        throw Error(join(options.images, ", "), std::string("removed, but not what they had: ") + error.what(),
                    "'shale gc' removes that when it can be");
    }
}

void run(const Options& options, const Globals& globals) {
    Store store = Store::open(globals.root);
    store.remove_images(options.images);
    const auto garbage = collect(store, options);
    if (globals.json) {
        auto document = garbage_json(garbage.value_or(Garbage{}));
        document["images"] = options.images;
        document["collected"] = garbage.has_value();
        print_json(document);
        return;
    }
    std::cout << "removed " << printable(join(options.images, ", ")) << what_went(garbage) << "\n";
}

} // namespace

void add_image_remove(CLI::App& image, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = image.add_subcommand("rm", description);
    command->add_option("image", options->images, "Names of images")
        ->type_name("IMAGE...")
        ->required();
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
