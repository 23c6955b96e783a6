// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "commands/garbage.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Remove from the store what no image refers to: layers and blobs of images that were removed or\n"
    "replaced, and what a crash has left.\n\n"
    "Layers that are mounted stay: by Shale anywhere, by overlayfs as far as the mount tables of\n"
    "running processes tell their paths. Writable layers are never removed.\n"
    "With --blobs the blobs of all images go, too: they take about as much as the images took when\n"
    "they were transferred, and only \"image export\" needs them.";

constexpr const char* examples = "Examples:\n"
                                 "  shale gc --dry-run      what would be removed\n"
                                 "  shale gc\n"
                                 "  shale gc --blobs        keep only what is mounted from";

void run(const CollectOptions& options, const Globals& globals) {
    const Garbage garbage = collect(options, globals);
    if (globals.json) {
        auto document = garbage_json(garbage);
        document["removed"] = !options.only_look;
        print_json(document);
        return;
    }
    std::cout << (options.only_look ? "would remove " : "removed ") << garbage_text(garbage) << mounted_text(garbage) << "\n";
}

} // namespace

void add_gc_command(CLI::App& app, Globals& globals) {
    auto options = std::make_shared<CollectOptions>();
    CLI::App* command = app.add_subcommand("gc", description);
    command->add_flag("--dry-run", options->only_look, "Only say what would be removed");
    command->add_flag("--blobs", options->all_blobs, "Remove the blobs of all images as well");
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
