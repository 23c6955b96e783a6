// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "commands/globals.hpp"
#include "store/store.hpp"

namespace shale {

/// How the command reads writable layers that may be mounted: those of Shale hold still for a while.
UpperAccess upper_access();

/// $SOURCE_DATE_EPOCH, or nothing. Throws Error where it is no number.
std::optional<std::int64_t> source_date_epoch();

/// "writable" or "view"
const char* kind_of(const SnapshotRecord& snapshot);
nlohmann::json to_json(const SnapshotRecord& snapshot, bool mounted);

// One file per verb.
void add_snapshot_list(CLI::App& snapshot, Globals& globals);
void add_snapshot_prepare(CLI::App& snapshot, Globals& globals);
void add_snapshot_view(CLI::App& snapshot, Globals& globals);
void add_snapshot_commit(CLI::App& snapshot, Globals& globals);
void add_snapshot_diff(CLI::App& snapshot, Globals& globals);
void add_snapshot_usage(CLI::App& snapshot, Globals& globals);
void add_snapshot_mounts(CLI::App& snapshot, Globals& globals);
void add_snapshot_remove(CLI::App& snapshot, Globals& globals);

} // namespace shale
