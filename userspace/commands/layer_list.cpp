// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>

#include "base/join.hpp"
#include "commands/format.hpp"
#include "commands/garbage.hpp"
#include "commands/layer.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "List the layers in the store: those of images, the bottom one first, then those that no image has.\n\n"
    "SIZE is what a layer takes on the disk. UNIQUE is what of that would be free without it: not the files\n"
    "that \"layer dedup --hardlink\" made the same in several layers. What files share by reflink counts as\n"
    "unique here, as only the file system knows of it.";

constexpr const char* examples = "Examples:\n"
                                 "  shale layer ls\n"
                                 "  shale layer ls --json | jq 'map(select(.images == []))'    what \"gc\" removes";

/// "debian:1, app:1", and the writable layers on these
std::string users_of(const StoredLayer& layer, bool mounted) {
    std::vector<std::string> users;
    for (const StoredLayer::Use& use : layer.uses)
        users.push_back(to_text(use));
    users.insert(users.end(), layer.snapshots.begin(), layer.snapshots.end());
    if (mounted)
        users.emplace_back("(mounted)");
    return users.empty() ? "-" : join(users, ", ");
}

void run(const Globals& globals) {
    auto store = existing_store(globals.root);
    auto document = nlohmann::json::array();
    Table table({"DIFF ID", "CHAIN ID", "SIZE", "UNIQUE", "USED BY"});
    run_interruptibly("not all was measured", [&](ImageProgress& progress) {
        if (!store)
            return;
        const UseLock layers_stay = store->hold();
        const IsMounted is_mounted = mounted_layers();
        progress.begin("measured", 0);
        for (const StoredLayer& layer : store->layers()) {
            const tree::Size size = measure(layer, progress);
            const bool mounted = is_mounted(layer.path);
            document.push_back(to_json(layer, size, mounted));
            table.add({short_text(layer.record.diff_id), short_text(layer.record.chain_id),
                       size_text(static_cast<double>(size.bytes)),
                       size_text(static_cast<double>(size.bytes - size.shared_bytes)), users_of(layer, mounted)});
        }
    });
    if (globals.json)
        print_json(document);
    else if (document.empty())
        std::cerr << "no layers yet: 'shale image import PATH:TAG' brings some\n";
    else
        table.print(std::cout);
}

} // namespace

void add_layer_list(CLI::App& layer, Globals& globals) {
    CLI::App* command = layer.add_subcommand("ls", description);
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([&globals] { run(globals); });
}

} // namespace shale
