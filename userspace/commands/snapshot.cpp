// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale snapshot: the writable layers, mounted or not.
#include "commands/snapshot.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Make, list and remove writable layers, look into them, and make images of them.";

constexpr const char* examples =
    "Examples:\n"
    "  shale mount debian /mnt --name web      makes one, or takes it up again\n"
    "  shale snapshot ls\n"
    "  shale snapshot commit web debian-web    what it shows becomes an image\n"
    "  shale snapshot rm web                   throws its changes away";

} // namespace

nlohmann::json to_json(const SnapshotRecord& snapshot, bool mounted) {
    return {{"name", snapshot.name},       {"image", snapshot.image}, {"upper", snapshot.upper},
            {"work", snapshot.work},       {"created", snapshot.created},
            {"mounted", mounted}};
}

void add_snapshot_command(CLI::App& app, Globals& globals) {
    CLI::App* snapshot = app.add_subcommand("snapshot", description);
    snapshot->require_subcommand(1);
    snapshot->footer(examples);
    add_snapshot_list(*snapshot, globals);
    add_snapshot_prepare(*snapshot, globals);
    add_snapshot_commit(*snapshot, globals);
    add_snapshot_diff(*snapshot, globals);
    add_snapshot_usage(*snapshot, globals);
    add_snapshot_mounts(*snapshot, globals);
    add_snapshot_remove(*snapshot, globals);
}

} // namespace shale
