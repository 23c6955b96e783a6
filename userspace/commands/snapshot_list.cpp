// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>

#include "commands/format.hpp"
#include "commands/mounted.hpp"
#include "commands/snapshot.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"

namespace shale {

namespace {

void run(const Globals& globals) {
    auto store = existing_store(globals.root);
    MountedDirectories mounted;
    const auto snapshots = store ? store->snapshots() : std::vector<SnapshotRecord>{};
    auto document = nlohmann::json::array();
    Table table({"NAME", "IMAGE", "CREATED", "MOUNTED", "KIND"});
    for (const SnapshotRecord& snapshot : snapshots) {
        const bool is = mounted.has_upper(snapshot.top());
        document.push_back(to_json(snapshot, is));
        table.add({snapshot.name, snapshot.image, time_text(snapshot.created), is ? "yes" : "no", kind_of(snapshot)});
    }
    if (globals.json)
        print_json(document);
    else if (snapshots.empty())
        std::cerr << "no writable layers yet: 'shale mount IMAGE DIR' makes one\n";
    else
        table.print(std::cout);
}

} // namespace

void add_snapshot_list(CLI::App& snapshot, Globals& globals) {
    CLI::App* ls = snapshot.add_subcommand("ls", "List the writable layers and views in the store.");
    add_json_flag(*ls, globals);
    ls->callback([&globals] { run(globals); });
}

} // namespace shale
