// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/image.hpp"
#include "commands/prune.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Remove layers and blobs that no image has; with --all also the images that nobody uses: those on\n"
    "which no writable layer stands, and that are not mounted.\n\n"
    "An image that has lost its name to another one is gone with that: there are none without names.";

constexpr const char* examples = "Examples:\n"
                                 "  shale image prune --all --dry-run    what would be removed\n"
                                 "  shale image prune --all";

} // namespace

void add_image_prune(CLI::App& image, Globals& globals) {
    CLI::App* command = image.add_subcommand("prune", description);
    make_prune_command(*command, false, globals);
    command->footer(examples);
}

} // namespace shale
