// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale layer merge and squash: fewer layers that show the same.
#include <iostream>
#include <memory>

#include "commands/format.hpp"
#include "commands/image.hpp"
#include "commands/layer.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

constexpr const char* merge_description =
    "Make an image that shows the same as another, with one layer in place of some adjacent ones.\n\n"
    "What the upper ones of these hide in the lower ones is not in the new layer; what they hide further\n"
    "below stays hidden. The other image stays as it is, unless the new one is to have its name. The same\n"
    "layers make the same image. The steps of the merged layers stay in the history, without layers.\n\n"
    "Layers above the merged ones are unpacked once more, as they stand on another one: \"layer dedup\"\n"
    "lets them share what is the same.";

constexpr const char* merge_examples =
    "Examples:\n"
    "  shale layer merge app --from 2 --to 5 --name app:merged    a base, and one layer of its own\n"
    "  shale layer merge app --from 4 --name app                  from the fourth to the top";

constexpr const char* squash_description =
    "Make an image that shows the same as another, of one layer, as \"layer merge\" does of all of them.\n"
    "Nothing is in it that the other one hides.";

constexpr const char* squash_examples = "Examples:\n"
                                        "  shale layer squash app --name app:small";

void run(const MergeOptions& options, const Globals& globals) {
    Store store = Store::open(globals.root);
    ImageRecord image;
    run_interruptibly("nothing was merged", [&](ImageProgress& progress) {
        image = store.merge_layers(options, progress);
    });
    if (globals.json) {
        print_json(to_json(store, image));
        return;
    }
    const LayerRecord& layer = image.layers.at(options.from - 1);
    std::cout << "made " << printable(image.name) << " of " << printable(options.image) << ": "
              << count_text(image.layers.size(), "layer") << ", the merged one of "
              << size_text(static_cast<double>(layer.size)) << "\n";
}

CLI::App* add(CLI::App& layer, const char* name, const char* description, const std::shared_ptr<MergeOptions>& options,
              Globals& globals) {
    CLI::App* command = layer.add_subcommand(name, description);
    command->add_option("image", options->image, "Name of the image")->type_name("IMAGE")->required();
    command->add_option("--name", options->name, "What to call the new image")->type_name("NEW")->required();
    add_compression_option(*command, options->compression);
    add_json_flag(*command, globals);
    command->callback([options, &globals] { run(*options, globals); });
    return command;
}

} // namespace

void add_layer_merge(CLI::App& layer, Globals& globals) {
    auto options = std::make_shared<MergeOptions>();
    CLI::App* command = add(layer, "merge", merge_description, options, globals);
    command->add_option("--from", options->from, "Number of the lowest layer; 1, the bottom one, if not given")
        ->check(CLI::PositiveNumber)
        ->type_name("N");
    command->add_option("--to", options->to, "Number of the highest one; the top one, if not given")
        ->check(CLI::PositiveNumber)
        ->type_name("N");
    command->footer(merge_examples);
}

void add_layer_squash(CLI::App& layer, Globals& globals) {
    add(layer, "squash", squash_description, std::make_shared<MergeOptions>(), globals)->footer(squash_examples);
}

} // namespace shale
