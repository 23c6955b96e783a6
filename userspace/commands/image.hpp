// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "commands/globals.hpp"
#include "store/store.hpp"

namespace shale {

// One file per command below `shale image`.
void add_image_import(CLI::App& image, Globals& globals);
void add_image_export(CLI::App& image, Globals& globals);
void add_image_prune(CLI::App& image, Globals& globals);
void add_image_pull(CLI::App& image, Globals& globals);
void add_image_push(CLI::App& image, Globals& globals);
void add_image_verify(CLI::App& image, Globals& globals);
void add_image_list(CLI::App& image, Globals& globals);
void add_image_inspect(CLI::App& image, Globals& globals);
void add_image_history(CLI::App& image, Globals& globals);
void add_image_tag(CLI::App& image, Globals& globals);
void add_image_remove(CLI::App& image, Globals& globals);

/// What --json says of an image.
nlohmann::json to_json(const Store& store, const ImageRecord& image);
nlohmann::json texts(const std::vector<Digest>& digests);

} // namespace shale
