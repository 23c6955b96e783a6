// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace shale::twins {

/// Adds to a layer, decided by @p seed, what random layers of the model lack: hard links between
/// names, modes with setuid and the like, ACLs, attributes, holes, nodes, and the escaped marks of
/// a layer within the layer.
void add_ornaments(unsigned seed, const std::string& layer, bool hard_links);

} // namespace shale::twins
