// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/new_file.hpp"
#include "base/stream.hpp"
#include "commands/changes.hpp"
#include "commands/image_progress.hpp"
#include "commands/snapshot.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

struct Options {
    std::string snapshot;
    std::string tar;
};

constexpr const char* description =
    "Show what a writable layer changes, compared with its image, as \"shale diff\" does; or write that as\n"
    "the tar, uncompressed, that \"snapshot commit\" would make a layer of.";

constexpr const char* examples = "Examples:\n"
                                 "  shale snapshot diff web\n"
                                 "  shale snapshot diff web --tar - | tar -tv";

void write_to_stdout(Store& store, const Options& options, Progress& progress) {
    const std::string shown = "standard output";
    if (isatty(STDOUT_FILENO) != 0)
        throw Error(shown, "is a terminal", "name a file, or send it to a pipe");
    store.write_changes(
        options.snapshot, source_date_epoch(), upper_access(),
        [&](std::span<const std::byte> bytes) {
            write_stream(STDOUT_FILENO, bytes.data(), bytes.size(), shown, progress);
        },
        progress);
}

void write_to_file(Store& store, const Options& options, Progress& progress) {
    NewFile file(options.tar);
    uint64_t size = 0;
    store.write_changes(
        options.snapshot, source_date_epoch(), upper_access(),
        [&](std::span<const std::byte> bytes) {
            write_all_at(file.fd(), bytes.data(), bytes.size(), size, file.shown());
            size += bytes.size();
        },
        progress);
    file.publish();
}

void run(const Options& options, const Globals& globals) {
    if (!options.tar.empty() && globals.json)
        throw CLI::ValidationError("--tar and --json are two things");
    Store store = Store::open(globals.root);
    if (options.tar.empty())
        return print_changes(changes_of_snapshot(options.snapshot, store), globals);
    run_interruptibly("nothing was written", [&](ImageProgress& progress) {
        (options.tar == "-" ? write_to_stdout : write_to_file)(store, options, progress);
    });
}

} // namespace

void add_snapshot_diff(CLI::App& snapshot, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = snapshot.add_subcommand("diff", description);
    command->add_option("layer", options->snapshot, "Name of the writable layer")->type_name("LAYER")->required();
    command->add_option("--tar", options->tar, "Write the layer's tar to this file; \"-\" is standard output")
        ->type_name("FILE");
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
