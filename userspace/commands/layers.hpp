// SPDX-License-Identifier: GPL-2.0-or-later
//
// The layers of a live mount, as people call them and as they can be looked at.
#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "netlink/mount_record.hpp"
#include "tree/union.hpp"

namespace shale {

/// "upper", or "lower 1" for the top-most of the lower ones. @p index counts all, from 0.
std::string layer_name(const netlink::MountRecord& mount, std::size_t index);

/// Its path at the time of the mount; empty where the mount was made in another mount namespace.
const std::string& layer_path(const netlink::MountRecord& mount, std::size_t index);

/// A layer's path for people, who are told where it is if it is empty.
std::string path_text(const std::string& path);

/// How many there are.
std::size_t layer_count(const netlink::MountRecord& mount);

/// Whether no name is looked for in it.
bool is_of_data(const netlink::MountRecord& mount, std::size_t index);

/// Index of the upper (no @p lower), or of a lower layer as the kernel counts them.
std::size_t layer_index(const netlink::MountRecord& mount, std::optional<uint32_t> lower);

/// A line for each layer, the top-most first, and where @p note says something of it (by index) a line
/// for that.
void print_layer_tree(const netlink::MountRecord& mount, std::ostream& out,
                      const std::function<std::string(std::size_t)>& note = {});

/// Throws Error where the paths of its layers are not known here.
void require_paths(const netlink::MountRecord& mount);

/// The layers, open. Throws Error where one can't be opened, or its path is not known here.
tree::Union open_layers(const netlink::MountRecord& mount);

} // namespace shale
