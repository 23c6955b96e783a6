// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <map>
#include <memory>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/join.hpp"
#include "commands/globals.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"
#include "netlink/client.hpp"
#include "netlink/refused.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Tell which mounts have a directory as a layer, and as which.\n\n"
    "It goes by the directory itself, whatever path leads to it, and finds mounts in other mount\n"
    "namespaces, too. Layers above or below the directory do not count.";

constexpr const char* examples = "Examples:\n"
                                 "  shale who-uses /layers/base     before it is removed\n"
                                 "  shale who-uses /data/work       who has the work directory";

struct Use {
    netlink::LayerUse role;
    netlink::MountRecord mount;
};

std::string role_text(const netlink::LayerUse& use) {
    std::vector<std::string> roles;
    if (use.upper)
        roles.emplace_back("upper");
    if (use.work)
        roles.emplace_back("work");
    if (use.lower)
        roles.push_back("lower " + std::to_string(*use.lower + 1));
    return join(roles, ", ");
}

/// Mounts that ended between the two questions are left out.
std::vector<Use> find_uses(const std::string& directory) {
    const UniqueFd fd = open_at(AT_FDCWD, directory, O_PATH | O_DIRECTORY);
    auto client = netlink::Client::open();
    std::vector<netlink::LayerUse> roles;
    try {
        roles = client.in_use(fd.get());
    } catch (const netlink::Refused& refused) {
        throw Error(directory, refused.what(),
                    refused.error() == EPERM ? "only root may ask: run it with sudo" : "");
    }
    std::map<uint64_t, netlink::MountRecord> mounts;
    if (!roles.empty()) {
        for (auto& mount : client.mounts())
            mounts.emplace(mount.id, std::move(mount));
    }
    std::vector<Use> uses;
    for (const auto& role : roles) {
        if (const auto mount = mounts.find(role.mount); mount != mounts.end())
            uses.push_back({role, mount->second});
    }
    return uses;
}

void run(const std::string& directory, const Globals& globals) {
    const auto uses = find_uses(directory);
    const Places places;
    if (globals.json) {
        auto list = nlohmann::json::array();
        for (const Use& use : uses) {
            auto points = nlohmann::json::array();
            for (const auto& place : places.of(use.mount))
                points.push_back(place.path);
            list.push_back({{"id", use.mount.id},
                            {"mountpoints", points},
                            {"source", use.mount.source},
                            {"upper", use.role.upper},
                            {"work", use.role.work},
                            {"lower", json_or_null(use.role.lower)}});
        }
        print_json(list);
        return;
    }
    if (uses.empty()) {
        std::cout << printable(directory) << " is a layer of no mount\n";
        return;
    }
    Table table({"ID", "MOUNTED ON", "SOURCE", "USED AS"});
    for (const Use& use : uses)
        table.add({std::to_string(use.mount.id), places.first_of(use.mount), use.mount.source,
                   role_text(use.role)});
    table.print(std::cout);
}

} // namespace

void add_who_uses_command(CLI::App& app, Globals& globals) {
    auto directory = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("who-uses", description);
    command->add_option("directory", *directory, "A directory that may be a layer")
        ->type_name("DIR")
        ->required();
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([directory, &globals] { run(*directory, globals); });
}

} // namespace shale
