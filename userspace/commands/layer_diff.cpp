// SPDX-License-Identifier: GPL-2.0-or-later
#include <memory>

#include "commands/changes.hpp"
#include "commands/layer.hpp"

namespace shale {

namespace {

struct Options {
    std::string before;
    std::string after;
};

const std::string description =
    std::string("Show in what layer AFTER differs from layer BEFORE, each taken by itself, as \"shale diff\" does.\n\n"
                "  A  added     C  changed (content, or mode, owner, times, attributes)     D  deleted\n\n"
                "A whiteout counts as an object, and that a directory is opaque as one of its attributes.\n\n") +
    layer_forms;

constexpr const char* examples = "Examples:\n"
                                 "  shale layer diff app-1:3 app-2:3";

void run(const Options& options, const Globals& globals) {
    Store store = Store::open(globals.root);
    const UseLock layers_stay = store.hold();
    print_changes(tree::differences(tree::Layer::open(store.layer(options.before).path),
                                    tree::Layer::open(store.layer(options.after).path)),
                  globals);
}

} // namespace

void add_layer_diff(CLI::App& layer, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = layer.add_subcommand("diff", description);
    command->add_option("before", options->before, "The one")->type_name("BEFORE")->required();
    command->add_option("after", options->after, "The other")->type_name("AFTER")->required();
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
