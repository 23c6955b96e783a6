// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale snapshot prepare and view: a snapshot without a mount.
#include <iostream>
#include <memory>

#include "commands/snapshot.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

constexpr const char* prepare_description = "Make a writable layer for an image without mounting it.";

constexpr const char* prepare_examples = "Examples:\n"
                                         "  shale snapshot prepare web debian\n"
                                         "  shale mount debian /mnt --name web      what it is for";

constexpr const char* view_description =
    "Make a view of an image: a name under which it is mounted read-only, without writable layer.\n\n"
    "While there is a view, its image can't be removed, nor replaced by another one. It may be mounted in\n"
    "several places at once.";

constexpr const char* view_examples = "Examples:\n"
                                      "  shale snapshot view look debian\n"
                                      "  shale mount debian /mnt --name look     read-only\n"
                                      "  shale snapshot mounts look              for other programs that mount";

struct Options {
    std::string name;
    std::string image;
};

/// One of those that Store has.
using Make = SnapshotRecord (Store::*)(const std::string& name, const std::string& image);

void run(const Options& options, Make make, const Globals& globals) {
    Store store = Store::open(globals.root);
    const SnapshotRecord snapshot = (store.*make)(options.name, store.image(options.image).name);
    if (globals.json)
        print_json(to_json(snapshot, false));
    else if (snapshot.is_view)
        std::cout << "made the view " << printable(snapshot.name) << " of " << printable(snapshot.image) << "\n";
    else
        std::cout << "prepared " << printable(snapshot.name) << " on " << printable(snapshot.image)
                  << "; changes go to " << printable(snapshot.upper) << "\n";
}

CLI::App* add(CLI::App& snapshot, const char* name, const char* description, Make make, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = snapshot.add_subcommand(name, description);
    command->add_option("name", options->name, "What to call it")->type_name("NAME")->required();
    command->add_option("image", options->image, "Name of the image")->type_name("IMAGE")->required();
    add_json_flag(*command, globals);
    command->callback([options, make, &globals] { run(*options, make, globals); });
    return command;
}

} // namespace

void add_snapshot_prepare(CLI::App& snapshot, Globals& globals) {
    add(snapshot, "prepare", prepare_description, &Store::prepare, globals)->footer(prepare_examples);
}

void add_snapshot_view(CLI::App& snapshot, Globals& globals) {
    add(snapshot, "view", view_description, &Store::view, globals)->footer(view_examples);
}

} // namespace shale
