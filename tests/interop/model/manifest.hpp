// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

namespace shale {

/// Prints what the model says a mount of @p layers (top-most first) shows: one line per object
/// with type, mode, owner, size, modification time, device, attributes, and target or digest.
void print_model(const std::vector<std::string>& layers);

/// Prints the same about what @p directory really shows, asked through the file system. A name
/// that is listed, but cannot be looked up, is printed as "absent".
void print_tree(const std::string& directory);

} // namespace shale
