// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>
#include <set>

#include "base/error.hpp"
#include "commands/mounted.hpp"
#include "commands/snapshot.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

void run(const std::vector<std::string>& names, const Globals& globals) {
    Store store = Store::open(globals.root);
    auto document = nlohmann::json::array();
    MountedDirectories mounted;
    const auto refuse = [](const SnapshotRecord& snapshot) {
        throw Error(called(snapshot), "is mounted", "unmount it first: 'shale mounts' shows where");
    };
    // What is gone does not come back: first all are looked at.
    for (const std::string& name : names) {
        const SnapshotRecord snapshot = store.snapshot(name);
        if (mounted.has_upper(snapshot.top()))
            refuse(snapshot);
    }
    for (const std::string& name : std::set<std::string>(names.begin(), names.end())) {
        const SnapshotRecord snapshot = store.snapshot(name);
        if (!store.remove_snapshot(name, is_upper_mounted))
            refuse(snapshot);
        document.push_back(to_json(snapshot, false));
        if (!globals.json)
            std::cout << "removed " << printable(name) << "\n";
    }
    if (globals.json)
        print_json(document);
}

} // namespace

void add_snapshot_remove(CLI::App& snapshot, Globals& globals) {
    auto names = std::make_shared<std::vector<std::string>>();
    CLI::App* rm = snapshot.add_subcommand(
        "rm", "Remove writable layers and views that are not mounted, with all changes in them.");
    rm->add_option("name", *names, "Names of writable layers")->type_name("LAYER...")->required();
    add_json_flag(*rm, globals);
    rm->callback([names, &globals] { run(*names, globals); });
}

} // namespace shale
