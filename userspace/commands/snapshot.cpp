// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale snapshot: the writable layers and the views, mounted or not.
#include "commands/snapshot.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Make, list and remove writable layers, look into them, and make images of them. A view is one that\n"
    "nothing is written to.";

constexpr const char* examples =
    "Examples:\n"
    "  shale mount debian /mnt --name web      makes one, or takes it up again\n"
    "  shale snapshot ls\n"
    "  shale snapshot commit web debian-web    what it shows becomes an image\n"
    "  shale snapshot rm web                   throws its changes away";

} // namespace

const char* kind_of(const SnapshotRecord& snapshot) {
    return snapshot.is_view ? "view" : "writable";
}

nlohmann::json to_json(const SnapshotRecord& snapshot, bool mounted) {
    const auto or_null = [](const std::string& path) { return path.empty() ? nlohmann::json() : nlohmann::json(path); };
    return {{"name", snapshot.name},
            {"image", snapshot.image},
            {"kind", kind_of(snapshot)},
            {"upper", or_null(snapshot.upper)},
            {"work", or_null(snapshot.work)},
            {"view", or_null(snapshot.view)},
            {"created", snapshot.created},
            {"mounted", mounted}};
}

void add_snapshot_command(CLI::App& app, Globals& globals) {
    CLI::App* snapshot = app.add_subcommand("snapshot", description);
    snapshot->require_subcommand(1);
    snapshot->footer(examples);
    add_snapshot_list(*snapshot, globals);
    add_snapshot_prepare(*snapshot, globals);
    add_snapshot_view(*snapshot, globals);
    add_snapshot_commit(*snapshot, globals);
    add_snapshot_diff(*snapshot, globals);
    add_snapshot_usage(*snapshot, globals);
    add_snapshot_mounts(*snapshot, globals);
    add_snapshot_remove(*snapshot, globals);
}

} // namespace shale
