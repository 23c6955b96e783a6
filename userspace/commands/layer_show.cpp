// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "base/join.hpp"
#include "commands/format.hpp"
#include "commands/garbage.hpp"
#include "commands/layer.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

const std::string description =
    std::string("Tell all about a layer: its digests, where it lies, how much is in it, who has it, and what it\n"
                "stands on.\n\n") +
    layer_forms;

constexpr const char* examples = "Examples:\n"
                                 "  shale layer show debian:2\n"
                                 "  shale layer show 4f2c --json | jq -r .path";

std::string sizes(const tree::Size& size) {
    const auto text = [](uint64_t bytes) { return size_text(static_cast<double>(bytes)); };
    std::string all = text(size.bytes) + " on the disk";
    if (size.shared_files > 0)
        all += ", of which " + text(size.shared_bytes) + " in " + count_text(size.shared_files, "file") +
               " that other layers have as well";
    return all;
}

std::string contents(const tree::Size& size) {
    const std::string directories = std::to_string(size.directories) + (size.directories == 1 ? " directory" : " directories");
    return count_text(size.files, "file") + ", " + directories + " (" + std::to_string(size.opaque) + " opaque), " +
           count_text(size.whiteouts, "whiteout");
}

void print(const StoredLayer& layer, const tree::Size& size, bool mounted) {
    const auto line = [](const std::string& name, const std::string& text) {
        std::cout << name << std::string(12 - name.size(), ' ') << printable(text) << "\n";
    };
    line("diff id", layer.record.diff_id.empty() ? "not known" : layer.record.diff_id.text());
    line("chain id", layer.record.chain_id.text());
    line("directory", layer.path);
    line("size", sizes(size) + "; " + size_text(static_cast<double>(layer.record.size)) + " as a tar");
    line("holds", contents(size));
    for (const StoredLayer::Use& use : layer.uses)
        line("image", to_text(use));
    if (layer.uses.empty())
        line("image", "none: \"shale gc\" removes it");
    if (!layer.snapshots.empty())
        line("snapshots", join(layer.snapshots, ", "));
    line("mounted", mounted ? "yes" : "no");
    for (const Digest& below : layer.below)
        line("stands on", below.text());
}

void run(const std::string& text, const Globals& globals) {
    Store store = Store::open(globals.root);
    const UseLock layers_stay = store.hold();
    const StoredLayer layer = store.layer(text);
    tree::Size size;
    run_interruptibly("not all was measured", [&](ImageProgress& progress) {
        progress.begin("measured", 0);
        size = measure(layer, progress);
    });
    const bool mounted = mounted_layers()(layer.path);
    if (globals.json)
        print_json(to_json(layer, size, mounted));
    else
        print(layer, size, mounted);
}

} // namespace

void add_layer_show(CLI::App& layer, Globals& globals) {
    auto text = std::make_shared<std::string>();
    CLI::App* command = layer.add_subcommand("show", description);
    command->add_option("layer", *text, "Which one")->type_name("LAYER")->required();
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([text, &globals] { run(*text, globals); });
}

} // namespace shale
