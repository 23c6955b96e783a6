// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "commands/globals.hpp"

namespace shale {

// One file per command below `shale store`.
void add_store_df(CLI::App& store, Globals& globals);
void add_store_prune(CLI::App& store, Globals& globals);
void add_store_rebuild(CLI::App& store, Globals& globals);

} // namespace shale
