// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale snapshot: the writable layers, mounted or not.
#include <algorithm>
#include <iostream>
#include <memory>
#include <set>

#include "base/error.hpp"
#include "commands/format.hpp"
#include "commands/globals.hpp"
#include "commands/mounted.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"

namespace shale {

namespace {

constexpr const char* description = "List and remove writable layers, mounted or not.";

constexpr const char* examples =
    "Examples:\n"
    "  shale mount debian /mnt --name web      makes one, or takes it up again\n"
    "  shale snapshot ls\n"
    "  shale snapshot rm web                   throws its changes away";

nlohmann::json to_json(const SnapshotRecord& snapshot, bool mounted) {
    return {{"name", snapshot.name},       {"image", snapshot.image}, {"upper", snapshot.upper},
            {"work", snapshot.work},       {"created", snapshot.created},
            {"mounted", mounted}};
}

void list(const Globals& globals) {
    auto store = existing_store(globals.root);
    MountedDirectories mounted;
    const auto snapshots = store ? store->snapshots() : std::vector<SnapshotRecord>{};
    auto document = nlohmann::json::array();
    Table table({"NAME", "IMAGE", "CREATED", "MOUNTED"});
    for (const SnapshotRecord& snapshot : snapshots) {
        const bool is = mounted.has_upper(snapshot.upper);
        document.push_back(to_json(snapshot, is));
        table.add({snapshot.name, snapshot.image, time_text(snapshot.created), is ? "yes" : "no"});
    }
    if (globals.json)
        print_json(document);
    else if (snapshots.empty())
        std::cerr << "no writable layers yet: 'shale mount IMAGE DIR' makes one\n";
    else
        table.print(std::cout);
}

void remove(const std::vector<std::string>& names, const Globals& globals) {
    Store store = Store::open(globals.root);
    auto document = nlohmann::json::array();
    MountedDirectories mounted;
    const auto refuse = [](const std::string& name) {
        throw Error("writable layer '" + name + "'", "is mounted",
                    "unmount it first: 'shale mounts' shows where");
    };
    // What is gone does not come back: first all are looked at.
    for (const std::string& name : names) {
        if (mounted.has_upper(store.snapshot(name).upper))
            refuse(name);
    }
    for (const std::string& name : std::set<std::string>(names.begin(), names.end())) {
        const SnapshotRecord snapshot = store.snapshot(name);
        if (!store.remove_snapshot(name, is_upper_mounted))
            refuse(name);
        document.push_back(to_json(snapshot, false));
        if (!globals.json)
            std::cout << "removed " << printable(name) << "\n";
    }
    if (globals.json)
        print_json(document);
}

} // namespace

void add_snapshot_command(CLI::App& app, Globals& globals) {
    CLI::App* snapshot = app.add_subcommand("snapshot", description);
    snapshot->require_subcommand(1);
    snapshot->footer(examples);

    CLI::App* ls = snapshot->add_subcommand("ls", "List the writable layers in the store.");
    add_json_flag(*ls, globals);
    ls->callback([&globals] { list(globals); });

    auto names = std::make_shared<std::vector<std::string>>();
    CLI::App* rm = snapshot->add_subcommand(
        "rm", "Remove writable layers that are not mounted, with all changes in them.");
    rm->add_option("name", *names, "Names of writable layers")->type_name("LAYER...")->required();
    add_json_flag(*rm, globals);
    rm->callback([names, &globals] { remove(*names, globals); });
}

} // namespace shale
