// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "commands/snapshot.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

struct Options {
    std::string name;
    std::string image;
};

constexpr const char* description = "Make a writable layer for an image without mounting it.";

constexpr const char* examples = "Examples:\n"
                                 "  shale snapshot prepare web debian\n"
                                 "  shale mount debian /mnt --name web      what it is for";

void run(const Options& options, const Globals& globals) {
    Store store = Store::open(globals.root);
    const SnapshotRecord snapshot = store.prepare(options.name, store.image(options.image).name);
    if (globals.json)
        print_json(to_json(snapshot, false));
    else
        std::cout << "prepared " << printable(snapshot.name) << " on " << printable(snapshot.image)
                  << "; changes go to " << printable(snapshot.upper) << "\n";
}

} // namespace

void add_snapshot_prepare(CLI::App& snapshot, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = snapshot.add_subcommand("prepare", description);
    command->add_option("name", options->name, "What to call it")->type_name("NAME")->required();
    command->add_option("image", options->image, "Name of the image")->type_name("IMAGE")->required();
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
