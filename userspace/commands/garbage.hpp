// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "commands/globals.hpp"
#include "store/store.hpp"

namespace shale {

/// Tells which layers of the store are mounted; see MountedDirectories.
IsMounted mounted_layers();

/// "2 layers and 3 blobs of 1.5 MiB", "nothing"
std::string garbage_text(const Garbage& garbage);
nlohmann::json garbage_json(const Garbage& garbage);

} // namespace shale
