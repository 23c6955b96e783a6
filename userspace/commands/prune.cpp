// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/prune.hpp"

#include <iostream>
#include <memory>

#include "base/join.hpp"
#include "commands/format.hpp"
#include "commands/garbage.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

void run(const CollectOptions& options, const Globals& globals) {
    const Garbage garbage = collect(options, globals);
    if (globals.json) {
        auto document = garbage_json(garbage);
        document["images"] = garbage.images;
        document["layer_bytes"] = garbage.layer_bytes;
        document["removed"] = !options.only_look;
        print_json(document);
        return;
    }
    const std::string doing = options.only_look ? "would remove " : "removed ";
    if (!garbage.images.empty())
        std::cout << doing << count_text(garbage.images.size(), "image") << ": "
                  << printable(join(garbage.images, ", ")) << "\n";
    std::cout << doing << garbage_text(garbage);
    if (garbage.layer_bytes > 0)
        std::cout << "; the layers are " << size_text(static_cast<double>(garbage.layer_bytes)) << " unpacked";
    std::cout << mounted_text(garbage) << "\n";
}

} // namespace

void make_prune_command(CLI::App& command, bool with_blobs, Globals& globals) {
    auto options = std::make_shared<CollectOptions>();
    command.add_flag("-a,--all", options->unused_images,
                     "Remove also each image on which no writable layer stands, and that is not mounted");
    command.add_flag("--dry-run", options->only_look, "Only say what would be removed");
    if (with_blobs)
        command.add_flag("--blobs", options->all_blobs, "Remove the blobs of all images as well; see \"gc\"");
    add_json_flag(command, globals);
    command.callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
