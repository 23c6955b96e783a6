// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "commands/globals.hpp"
#include "store/garbage.hpp"

namespace shale {

/// Gives @p command the options of "image prune" and "store prune", which are the same but for --blobs, and what
/// they do.
void make_prune_command(CLI::App& command, bool with_blobs, Globals& globals);

} // namespace shale
