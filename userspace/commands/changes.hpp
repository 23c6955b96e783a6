// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a writable layer changes, for people.
#pragma once

#include <string>
#include <vector>

#include "commands/globals.hpp"
#include "store/store.hpp"
#include "tree/changes.hpp"

namespace shale {

/// Compares @p upper on @p lowers, the top-most first, with the lowers alone. Throws Error.
std::vector<tree::Change> find_changes(const std::string& upper, const std::vector<std::string>& lowers);

std::vector<tree::Change> changes_of_snapshot(const std::string& name, Store& store);

void print_changes(const std::vector<tree::Change>& changes, const Globals& globals);

} // namespace shale
