// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "base/join.hpp"
#include "commands/globals.hpp"
#include "commands/layers.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"
#include "netlink/client.hpp"
#include "tree/needs.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "List the Shale mounts, as the kernel knows them.\n\n"
    "OVERLAYFS NEEDS: the options with which in-tree overlayfs reads the writable layer, as far as\n"
    "the mount has met or made what needs them; --scan looks through the whole layer.\n\n"
    "With --tree: the layers of each, the top-most first. With --json: these, and counters of what\n"
    "was copied to the writable layer; \"shale show\" tells more of one.";

constexpr const char* examples = "Example:\n"
                                 "  shale mounts\n"
                                 "  shale mounts --tree\n"
                                 "  shale mounts --json | jq '.[].mountpoints'";

/// A mount with what the store and /proc know of it.
struct Row {
    netlink::MountRecord mount;
    std::vector<std::string> places;
    std::string name;
    std::string image;
    tree::Needs needs;
};

tree::Needs needs_of(const netlink::MountRecord& mount, bool scan) {
    tree::Needs needs{.redirects = mount.redirects, .metacopies = mount.metacopies};
    if (!scan || !mount.upper || needs.all())
        return needs;
    require_paths(mount);
    const auto found = tree::needs_of_upper(*mount.upper);
    needs.redirects |= found.redirects;
    needs.metacopies |= found.metacopies;
    return needs;
}

std::vector<Row> rows(const Globals& globals, bool scan) {
    auto store = existing_store(globals.root);
    std::vector<Row> rows;
    for (auto& mount : netlink::Client::open().mounts()) {
        Row row;
        for (auto& place : mount_points(mount))
            row.places.push_back(std::move(place.path));
        row.name = mount.source;
        if (const auto snapshot = store ? snapshot_of(*store, mount) : std::nullopt) {
            row.name = snapshot->name;
            row.image = snapshot->image;
        } else if (store && !mount.upper) {
            if (const auto image = image_with_layers(*store, mount.lowers))
                row.image = image->name;
        }
        row.needs = needs_of(mount, scan);
        row.mount = std::move(mount);
        rows.push_back(std::move(row));
    }
    return rows;
}

std::string joined(const std::vector<std::string>& list, const char* without) {
    return list.empty() ? without : join(list, ",");
}

void print_table(const std::vector<Row>& rows) {
    Table table({"ID", "MOUNTED ON", "NAME", "IMAGE", "LOWERS", "UPPER", "OVERLAYFS NEEDS"});
    for (const Row& row : rows) {
        table.add({std::to_string(row.mount.id), joined(row.places, "(elsewhere)"), row.name,
                   row.image.empty() ? "-" : row.image, std::to_string(row.mount.lowers.size()),
                   row.mount.upper ? path_text(*row.mount.upper) : "(read-only)", joined(row.needs.options(), "-")});
    }
    table.print(std::cout);
}

nlohmann::json document(const std::vector<Row>& rows) {
    auto list = nlohmann::json::array();
    const auto text = [](const std::optional<std::string>& value) {
        return value ? nlohmann::json(*value) : nlohmann::json();
    };
    for (const Row& row : rows)
        list.push_back({{"id", row.mount.id},
                        {"major", row.mount.major},
                        {"minor", row.mount.minor},
                        {"mountpoints", row.places},
                        {"name", row.name},
                        {"image", row.image.empty() ? nlohmann::json() : nlohmann::json(row.image)},
                        {"source", row.mount.source},
                        {"lowers", row.mount.lowers},
                        {"upper", text(row.mount.upper)},
                        {"work", text(row.mount.work)},
                        {"overlayfs_needs", row.needs.options()},
                        {"copy_ups", row.mount.copy_ups},
                        {"copy_up_bytes", row.mount.copy_up_bytes}});
    return list;
}

void print_trees(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        std::cout << row.mount.id << "  " << printable(joined(row.places, "(elsewhere)")) << "  "
                  << printable(row.name) << "\n";
        print_layer_tree(row.mount, std::cout);
    }
}

struct MountsOptions {
    bool scan = false;
    bool tree = false;
};

void run(const Globals& globals, const MountsOptions& options) {
    const auto found = rows(globals, options.scan);
    if (globals.json)
        print_json(document(found));
    else if (found.empty())
        std::cout << "nothing is mounted\n";
    else if (options.tree)
        print_trees(found);
    else
        print_table(found);
}

} // namespace

void add_mounts_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("mounts", description);
    add_json_flag(*command, globals);
    command->footer(examples);
    const auto options = std::make_shared<MountsOptions>();
    command->add_flag("--scan", options->scan,
                      "Look through all of each writable layer for OVERLAYFS NEEDS");
    command->add_flag("--tree", options->tree, "Show the layers of each");
    command->callback([&globals, options] { run(globals, *options); });
}

} // namespace shale
