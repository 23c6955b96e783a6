// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>

#include "commands/format.hpp"
#include "commands/garbage.hpp"
#include "commands/image_progress.hpp"
#include "commands/mounted.hpp"
#include "commands/store.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Tell what the store takes on the disk: images, by their layers; all layers; the blobs that were\n"
    "kept; and writable layers. SHARED is what several images have. An image is in use when a writable\n"
    "layer stands on it, or when it is mounted; RECLAIMABLE is what only others have.\n\n"
    "\"store prune\" frees what is reclaimable of layers and blobs, with --all that of images, too. Of\n"
    "writable layers it is what is not mounted, and \"snapshot rm\" frees it.";

constexpr const char* examples = "Examples:\n"
                                 "  shale store df\n"
                                 "  shale store df --json | jq .layers.bytes";

nlohmann::json to_json(const KindUsage& kind) {
    return {{"count", kind.count},
            {"active", kind.active},
            {"bytes", kind.bytes},
            {"shared", kind.shared},
            {"reclaimable", kind.reclaimable}};
}

void add(Table& table, const std::string& name, const KindUsage& kind) {
    const auto text = [](std::uint64_t bytes) { return size_text(static_cast<double>(bytes)); };
    table.add({name, std::to_string(kind.count), std::to_string(kind.active), text(kind.bytes), text(kind.shared),
               text(kind.reclaimable)});
}

void run(const Globals& globals) {
    auto store = existing_store(globals.root);
    StoreUsage usage;
    if (store)
        run_interruptibly("not all was measured", [&](ImageProgress& progress) {
            progress.begin("measured", 0);
            usage = store->usage(mounted_layers(), is_upper_mounted, progress);
        });
    if (globals.json) {
        print_json({{"images", to_json(usage.images)},
                    {"layers", to_json(usage.layers)},
                    {"blobs", to_json(usage.blobs)},
                    {"snapshots", to_json(usage.snapshots)}});
        return;
    }
    Table table({"TYPE", "TOTAL", "IN USE", "SIZE", "SHARED", "RECLAIMABLE"});
    add(table, "images", usage.images);
    add(table, "layers", usage.layers);
    add(table, "blobs", usage.blobs);
    add(table, "writable layers", usage.snapshots);
    table.print(std::cout);
}

} // namespace

void add_store_df(CLI::App& store, Globals& globals) {
    CLI::App* command = store.add_subcommand("df", description);
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([&globals] { run(globals); });
}

} // namespace shale
