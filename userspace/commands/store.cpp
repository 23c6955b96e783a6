// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale store: the store as a whole.
#include "commands/store.hpp"

#include "commands/prune.hpp"

namespace shale {

namespace {

constexpr const char* description = "Tell what the store takes, free room in it, and make its database anew.";

constexpr const char* prune_description =
    "Remove layers and blobs that no image has, as \"gc\" does; with --all also the images that nobody\n"
    "uses. Writable layers are never removed.";

constexpr const char* prune_examples = "Examples:\n"
                                       "  shale store prune --all --dry-run    what would be removed\n"
                                       "  shale store prune --all --blobs      keep only what is in use";

} // namespace

void add_store_prune(CLI::App& store, Globals& globals) {
    CLI::App* command = store.add_subcommand("prune", prune_description);
    make_prune_command(*command, true, globals);
    command->footer(prune_examples);
}

void add_store_command(CLI::App& app, Globals& globals) {
    CLI::App* store = app.add_subcommand("store", description);
    store->require_subcommand(1);
    add_store_df(*store, globals);
    add_store_prune(*store, globals);
    add_store_rebuild(*store, globals);
}

} // namespace shale
