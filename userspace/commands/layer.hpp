// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "commands/globals.hpp"
#include "commands/image_progress.hpp"
#include "store/store.hpp"
#include "tree/measure.hpp"

namespace shale {

// One file per command below `shale layer`.
void add_layer_list(CLI::App& layer, Globals& globals);
void add_layer_show(CLI::App& layer, Globals& globals);
void add_layer_diff(CLI::App& layer, Globals& globals);
void add_layer_merge(CLI::App& layer, Globals& globals);
void add_layer_squash(CLI::App& layer, Globals& globals);
void add_layer_dedup(CLI::App& layer, Globals& globals);

/// What LAYER may be, for descriptions.
constexpr const char* layer_forms =
    "LAYER is the begin of a diff id or chain id as \"layer ls\" tells them, or IMAGE:N, layer N of an image,\n"
    "of which 1 is the bottom.";

/// "sha256:" and so many digits as a table has room for; "-" of none
std::string short_text(const Digest& digest);
/// "debian:1"
std::string to_text(const StoredLayer::Use& use);

/// How large @p layer is on the disk. Throws Error; or Cancelled, when @p progress says so.
tree::Size measure(const StoredLayer& layer, ImageProgress& progress);

/// What --json says of a layer; @p mounted: whether a mount has it.
nlohmann::json to_json(const StoredLayer& layer, const tree::Size& size, bool mounted);

} // namespace shale
