// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "base/parallel.hpp"
#include "commands/format.hpp"
#include "commands/garbage.hpp"
#include "commands/layer.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Let layers share what is equal in them. What is equal is known from the lists that were made when the\n"
    "layers were unpacked, and compared before anything happens.\n\n"
    "Files that hold the same come to lie in the same blocks, where the file system of the store can do\n"
    "that (reflink: btrfs, xfs); nothing else of them changes, and layers may be mounted.\n\n"
    "With --hardlink, what is the same in several layers under the same path, with the same owner, mode,\n"
    "time and attributes, becomes one file, whose number of links shows in mounts. Files that have several\n"
    "names in a layer are left alone, and so are layers that are mounted, or that writable layers stand on.\n"
    "Don't use it where others have mounted layers of the store below writable layers of their own.";

constexpr const char* examples = "Examples:\n"
                                 "  shale layer dedup\n"
                                 "  shale layer dedup --hardlink --dry-run    what that would bring";

nlohmann::json to_json(const Dedup::Amount& amount) {
    return {{"files", amount.files}, {"bytes", amount.bytes}};
}

nlohmann::json to_json(const Dedup& dedup) {
    auto kept = nlohmann::json::array();
    for (const Dedup::Kept& layer : dedup.kept)
        kept.push_back({{"chain_id", layer.chain_id.text()}, {"reason", layer.reason}});
    return {{"can_share_data", dedup.can_share_data},
            {"data", to_json(dedup.data)},
            {"data_before", to_json(dedup.data_before)},
            {"refused", dedup.refused},
            {"linked", to_json(dedup.linked)},
            {"linked_before", to_json(dedup.linked_before)},
            {"different", dedup.different},
            {"not_linked", kept}};
}

std::string text_of(const Dedup::Amount& amount) {
    return count_text(amount.files, "file") + ", " + size_text(static_cast<double>(amount.bytes));
}

void print(const Dedup& dedup, const DedupOptions& options) {
    const std::string would = options.only_look ? "would be " : "";
    if (options.hard_links) {
        std::cout << would << "linked to files of other layers: " << text_of(dedup.linked) << "; before: "
                  << text_of(dedup.linked_before) << "\n";
        for (const Dedup::Kept& layer : dedup.kept)
            std::cout << "left alone: " << short_text(layer.chain_id) << ": " << printable(layer.reason) << "\n";
    }
    if (!dedup.can_share_data)
        std::cout << "the file system does not let files share data\n";
    else
        std::cout << would << "sharing data with equal files: " << text_of(dedup.data) << "; before: "
                  << text_of(dedup.data_before) << "\n";
    if (dedup.refused > 0)
        std::cout << count_text(dedup.refused, "file") << " that the file system would not let share data\n";
    if (dedup.different > 0)
        std::cerr << "shale: warning: " << count_text(dedup.different, "file")
                  << " not as when the layer was unpacked: \"shale image verify\" tells\n";
}

void run(const DedupOptions& options, const Globals& globals) {
    auto store = existing_store(globals.root);
    Dedup dedup;
    if (store)
        run_interruptibly("what was done stays, and each layer is whole", [&](ImageProgress& progress) {
            progress.begin("compared", 0);
            dedup = store->dedup(options, mounted_layers, progress);
        });
    if (!globals.json)
        return print(dedup, options);
    auto document = to_json(dedup);
    document["dry_run"] = options.only_look;
    print_json(document);
}

} // namespace

void add_layer_dedup(CLI::App& layer, Globals& globals) {
    auto options = std::make_shared<DedupOptions>();
    options->jobs = default_jobs();
    CLI::App* command = layer.add_subcommand("dedup", description);
    command->add_flag("--hardlink", options->hard_links, "Also make one file of what is the same in several layers");
    command->add_flag("--dry-run", options->only_look, "Only say what could be shared, by the lists, without comparing");
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
