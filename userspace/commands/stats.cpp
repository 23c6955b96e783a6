// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <map>
#include <memory>

#include "commands/counters.hpp"
#include "commands/format.hpp"
#include "commands/globals.hpp"
#include "commands/layers.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"
#include "netlink/client.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Show what was counted of a mount since it was made, or of all.\n\n"
    "A look-up is one that the kernel's cache of names did not answer. A listing, kept in memory,\n"
    "tells which layers have a name, and saves asking the others. A file is re-opened when one that\n"
    "was open for reading had been copied up meanwhile.";

constexpr const char* examples = "Examples:\n"
                                 "  shale stats           a table of all mounts\n"
                                 "  shale stats /mnt      all counters of one, and its layers'\n"
                                 "  shale stats --json | jq '.[].copy_up_bytes'";

void show_one(const std::string& target, const Globals& globals) {
    auto client = netlink::Client::open();
    auto store = existing_store(globals.root);
    const auto mount = find_mount(target, client, store);
    const auto counters = client.counters_of(mount.id);
    if (globals.json) {
        auto document = counters_json(counters, true);
        document["mountpoint"] = place_of(mount);
        print_json(document);
        return;
    }
    std::cout << printable(place_of(mount)) << "\n";
    print_counters(counters, "  ", std::cout);
    if (counters.layers.empty())
        return;
    std::cout << "\n";
    Table table({"LOWER", "LOOK-UPS", "COPIED UP", "BYTES", "PATH"});
    for (const auto& layer : counters.layers)
        table.add({std::to_string(layer.lower + 1), std::to_string(layer.look_ups),
                   std::to_string(layer.copy_ups),
                   size_text(static_cast<double>(layer.copy_up_bytes)),
                   layer.lower < mount.lowers.size() ? path_text(mount.lowers[layer.lower]) : "?"});
    table.print(std::cout);
}

void show_all(const Globals& globals) {
    auto client = netlink::Client::open();
    std::map<uint64_t, netlink::MountRecord> mounts;
    for (auto& mount : client.mounts())
        mounts.emplace(mount.id, std::move(mount));
    const auto all = client.counters();
    const Places places;
    const auto place = [&](uint64_t id) {
        const auto mount = mounts.find(id);
        return mount == mounts.end() ? "mount " + std::to_string(id)
                                     : places.first_of(mount->second);
    };
    if (globals.json) {
        auto list = nlohmann::json::array();
        for (const auto& counters : all) {
            list.push_back(counters_json(counters, false));
            list.back()["mountpoint"] = place(counters.id);
        }
        print_json(list);
        return;
    }
    if (all.empty()) {
        std::cout << "nothing is mounted\n";
        return;
    }
    Table table({"ID", "MOUNTED ON", "COPIED UP", "BYTES", "WHITEOUTS", "LOOK-UPS", "SAVED",
                 "LISTINGS", "ERRORS"});
    for (const auto& counters : all)
        table.add({std::to_string(counters.id), place(counters.id),
                   std::to_string(counters.copy_ups),
                   size_text(static_cast<double>(counters.copy_up_bytes)),
                   std::to_string(counters.whiteouts), std::to_string(counters.look_ups),
                   saved_text(counters.probes, counters.probes_saved),
                   size_text(static_cast<double>(counters.listing_bytes)),
                   errors_text(counters.errors)});
    table.print(std::cout);
}

} // namespace

void add_stats_command(CLI::App& app, Globals& globals) {
    auto target = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("stats", description);
    command->add_option("target", *target, "Mount point, name, or id; all mounts, if none is given")
        ->type_name("DIR|NAME");
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([target, &globals] {
        if (target->empty())
            show_all(globals);
        else
            show_one(*target, globals);
    });
}

} // namespace shale
