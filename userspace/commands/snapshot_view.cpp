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

constexpr const char* description =
    "Make a view of an image: a name under which it is mounted read-only, without writable layer.\n\n"
    "While there is a view, its image can't be removed, nor replaced by another one. It may be mounted in\n"
    "several places at once.";

constexpr const char* examples = "Examples:\n"
                                 "  shale snapshot view look debian\n"
                                 "  shale mount debian /mnt --name look     read-only\n"
                                 "  shale snapshot mounts look              for other programs that mount";

void run(const Options& options, const Globals& globals) {
    Store store = Store::open(globals.root);
    const SnapshotRecord view = store.view(options.name, store.image(options.image).name);
    if (globals.json)
        print_json(to_json(view, false));
    else
        std::cout << "made the view " << printable(view.name) << " of " << printable(view.image) << "\n";
}

} // namespace

void add_snapshot_view(CLI::App& snapshot, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = snapshot.add_subcommand("view", description);
    command->add_option("name", options->name, "What to call it")->type_name("NAME")->required();
    command->add_option("image", options->image, "Name of the image")->type_name("IMAGE")->required();
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
