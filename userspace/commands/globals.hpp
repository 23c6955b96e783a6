// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace shale {

/// What all commands share.
struct Globals {
    std::string root = "/var/lib/shale"; ///< of the store: --root or $SHALE_ROOT
    bool json = false;                   ///< --json: print one JSON document instead of text
};

/// Ends a command whose exit status says more than done or failed. Thrown when everything else is said.
struct Exit {
    int status;
};

/// Gives @p command the flag --json.
void add_json_flag(CLI::App& command, Globals& globals);

/// Prints @p document to standard output in one line, at once, for whoever reads as it comes.
void print_json_line(const nlohmann::json& document);

/// @p value, or null where there is none.
template <typename Value> nlohmann::json json_or_null(const std::optional<Value>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json();
}

/// Prints @p document to standard output. Bytes that are not UTF-8, as names may hold, are
/// replaced.
void print_json(const nlohmann::json& document);

// One file per command.
void add_image_command(CLI::App& app, Globals& globals);
void add_mount_command(CLI::App& app, Globals& globals);
void add_umount_command(CLI::App& app, Globals& globals);
void add_mounts_command(CLI::App& app, Globals& globals);
void add_diff_command(CLI::App& app, Globals& globals);
void add_show_command(CLI::App& app, Globals& globals);
void add_which_command(CLI::App& app, Globals& globals);
void add_who_uses_command(CLI::App& app, Globals& globals);
void add_stats_command(CLI::App& app, Globals& globals);
void add_top_command(CLI::App& app, Globals& globals);
void add_events_command(CLI::App& app, Globals& globals);
void add_set_command(CLI::App& app, Globals& globals);
void add_snapshot_command(CLI::App& app, Globals& globals);
void add_gc_command(CLI::App& app, Globals& globals);
void add_layer_command(CLI::App& app, Globals& globals);
void add_store_command(CLI::App& app, Globals& globals);
void add_run_command(CLI::App& app, Globals& globals);
void add_verify_command(CLI::App& app, Globals& globals);
void add_selftest_command(CLI::App& app, Globals& globals);
void add_fsck_command(CLI::App& app, Globals& globals);

} // namespace shale
