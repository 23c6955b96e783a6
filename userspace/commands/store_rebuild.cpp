// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "commands/format.hpp"
#include "commands/store.hpp"
#include "commands/table.hpp"
#include "store/store.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Make the store's database anew from what lies beside it: images by the files in images/, writable\n"
    "layers by theirs in snapshots/. What the database knows already stays; nothing is removed, in\n"
    "particular no layer. A database that is damaged is set aside as shale.db.damaged.\n\n"
    "Exit status: 0 when all was taken up, 1 when something could not be, or when it failed.";

constexpr const char* examples = "Examples:\n"
                                 "  shale store rebuild";

void run(const Globals& globals) {
    if (!stat_at(AT_FDCWD, globals.root + "/layers")) // or it would be made, and be empty
        throw Error("store " + globals.root, "is not there", "choose one with --root");
    const Rebuilt rebuilt = Store::rebuild(globals.root);
    if (globals.json) {
        print_json({{"images", rebuilt.images},
                    {"layers", rebuilt.layers},
                    {"snapshots", rebuilt.snapshots},
                    {"taken_up", rebuilt.found},
                    {"set_aside", rebuilt.set_aside.empty() ? nlohmann::json() : nlohmann::json(rebuilt.set_aside)},
                    {"problems", rebuilt.problems}});
    } else {
        for (const std::string& problem : rebuilt.problems)
            std::cerr << "shale: warning: " << printable(problem) << "\n";
        if (!rebuilt.set_aside.empty())
            std::cout << "the damaged database is " << printable(rebuilt.set_aside) << " now\n";
        std::cout << "the database has " << count_text(rebuilt.images, "image") << " with "
                  << count_text(rebuilt.layers, "layer") << ", and " << count_text(rebuilt.snapshots, "writable layer")
                  << "; " << rebuilt.found << " of them it did not have before\n";
    }
    if (!rebuilt.problems.empty())
        throw Error("store " + globals.root, "not all could be taken up: " + rebuilt.problems.front());
}

} // namespace

void add_store_rebuild(CLI::App& store, Globals& globals) {
    CLI::App* command = store.add_subcommand("rebuild", description);
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([&globals] { run(globals); });
}

} // namespace shale
