// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "base/join.hpp"
#include "base/shell_word.hpp"
#include "commands/snapshot.hpp"
#include "mounting/options.hpp"
#include "store/index_names.hpp"
#include "tree/needs.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Tell what a writable layer is mounted from, and the commands that do it: by Shale, or by the kernel's\n"
    "overlayfs, which has to be told of marks that it does not heed by itself. Not by both at once, but for\n"
    "a view: it has lower layers only, an empty one of its own above those of its image.";

constexpr const char* examples = "Examples:\n"
                                 "  shale snapshot mounts web\n"
                                 "  shale snapshot mounts web --json        for programs";

/// As one word of a shell.
nlohmann::json mount_of(const std::string& type, std::vector<std::string> options, const SnapshotRecord& snapshot,
                        const std::vector<std::string>& lowers) {
    options.push_back("lowerdir=" + mounting::escaped(lowers));
    if (snapshot.is_view) {
        options.insert(options.begin(), "ro");
    } else {
        options.push_back("upperdir=" + mounting::escaped(snapshot.upper));
        options.push_back("workdir=" + mounting::escaped(snapshot.work));
    }
    return {{"type", type}, {"source", snapshot.name}, {"options", options}};
}

void run(const std::string& name, const Globals& globals) {
    Store store = Store::open(globals.root);
    const SnapshotRecord snapshot = store.snapshot(name);
    const std::vector<std::string> lowers = store.lower_paths(snapshot);
    std::vector<std::string> both;
    std::vector<std::string> needs;
    if (!snapshot.is_view) {
        if (has_indexed_files(snapshot.work))
            both.emplace_back("index=on");
        needs = tree::needs_of_upper(snapshot.upper).options();
    }
    needs.insert(needs.end(), both.begin(), both.end());
    const auto mounts = nlohmann::json::array({mount_of("shale", both, snapshot, lowers),
                                               mount_of("overlay", needs, snapshot, lowers)});
    if (globals.json) {
        auto document = to_json(snapshot, false);
        document.erase("mounted");
        document["lowers"] = lowers;
        document["mounts"] = mounts;
        print_json(document);
        return;
    }
    for (const auto& mount : mounts)
        std::cout << "mount -t " << mount["type"].get<std::string>() << " -o "
                  << shell_word(join(mount["options"].get<std::vector<std::string>>(), ",")) << " "
                  << mount["source"].get<std::string>() << " DIR\n";
}

} // namespace

void add_snapshot_mounts(CLI::App& snapshot, Globals& globals) {
    auto name = std::make_shared<std::string>();
    CLI::App* command = snapshot.add_subcommand("mounts", description);
    command->add_option("layer", *name, "Name of the writable layer")->type_name("LAYER")->required();
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([name, &globals] { run(*name, globals); });
}

} // namespace shale
