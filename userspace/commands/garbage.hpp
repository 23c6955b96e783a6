// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "commands/globals.hpp"
#include "store/store.hpp"

namespace shale {

/// Tells which layers of the store are mounted; see MountedDirectories.
IsMounted mounted_layers();

/// What Store::collect() did, or would do; nothing where there is no store yet. Throws Error when it can't be done now.
Garbage collect(const CollectOptions& options, const Globals& globals);

/// "; 2 layers that no image has any more: mounted, and left alone"; empty without such
std::string mounted_text(const Garbage& garbage);

/// "2 layers and 3 blobs of 1.5 MiB", "nothing"
std::string garbage_text(const Garbage& garbage);
nlohmann::json garbage_json(const Garbage& garbage);

} // namespace shale
