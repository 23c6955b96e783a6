// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "commands/format.hpp"
#include "commands/snapshot.hpp"
#include "commands/table.hpp"
#include "tree/measure.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Tell how much writable layers take on the disk, without what they share with their images.";

constexpr const char* examples = "Examples:\n"
                                 "  shale snapshot usage web db\n"
                                 "  shale snapshot usage            all of them";

std::uint64_t inodes(const tree::Size& size) {
    return size.files + size.directories + size.whiteouts;
}

std::vector<SnapshotRecord> named(const std::vector<std::string>& names, Store& store) {
    if (names.empty())
        return store.snapshots();
    std::vector<SnapshotRecord> snapshots;
    for (const std::string& name : names)
        snapshots.push_back(store.snapshot(name));
    return snapshots;
}

void run(const std::vector<std::string>& names, const Globals& globals) {
    Store store = Store::open(globals.root);
    auto document = nlohmann::json::array();
    Table table({"NAME", "SIZE", "INODES"});
    for (const SnapshotRecord& snapshot : named(names, store)) {
        const tree::Size size = tree::measure(*tree::Layer::open(snapshot.top()), [](const auto&) {});
        document.push_back({{"name", snapshot.name}, {"size", size.bytes}, {"inodes", inodes(size)}});
        table.add({snapshot.name, size_text(static_cast<double>(size.bytes)), std::to_string(inodes(size))});
    }
    if (globals.json)
        print_json(document);
    else
        table.print(std::cout);
}

} // namespace

void add_snapshot_usage(CLI::App& snapshot, Globals& globals) {
    auto names = std::make_shared<std::vector<std::string>>();
    CLI::App* command = snapshot.add_subcommand("usage", description);
    command->add_option("name", *names, "Names of writable layers; otherwise all")->type_name("LAYER...");
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([names, &globals] { run(*names, globals); });
}

} // namespace shale
