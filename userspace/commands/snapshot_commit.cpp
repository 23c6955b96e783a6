// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "commands/format.hpp"
#include "commands/image.hpp"
#include "commands/image_progress.hpp"
#include "commands/snapshot.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

struct Options {
    std::string snapshot;
    CommitOptions commit;
};

constexpr const char* description =
    "Make an image of what a writable layer shows: its changes become a layer on top of its image's.\n\n"
    "The writable layer stays as it is. One that Shale has mounted is copied while changes wait, for 10\n"
    "seconds at most; if that is not enough, unmount it first. An image that has the name is replaced,\n"
    "unless a writable layer stands on it. Sockets are left out, and attributes that only mean something\n"
    "to an overlay or to this machine (trusted.overlay.*, security.selinux).\n\n"
    "The same tree makes the same layer, digest for digest. With SOURCE_DATE_EPOCH in the environment\n"
    "(seconds since 1970), nothing in the image is later than that, and the image is the same, too.";

constexpr const char* examples =
    "Examples:\n"
    "  shale snapshot commit web debian-web:1\n"
    "  shale snapshot commit web debian-web:2 --author \"A. Admin <a@example.org>\" --message \"nginx added\"";

void run(Options& options, const Globals& globals) {
    options.commit.epoch = source_date_epoch();
    Store store = Store::open(globals.root);
    ImageRecord image;
    run_interruptibly("nothing was committed", [&](ImageProgress& progress) {
        image = store.commit_snapshot(options.snapshot, options.commit, upper_access(), progress);
    });
    if (globals.json) {
        print_json(to_json(store, image));
        return;
    }
    std::cout << "committed " << printable(options.snapshot) << " as " << printable(image.name) << ": "
              << count_text(image.layers.size(), "layer") << ", the new one of "
              << size_text(static_cast<double>(image.layers.back().size)) << "\n";
}

} // namespace

void add_snapshot_commit(CLI::App& snapshot, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = snapshot.add_subcommand("commit", description);
    command->add_option("layer", options->snapshot, "Name of the writable layer")->type_name("LAYER")->required();
    command->add_option("image", options->commit.image, "What to call the new image")
        ->type_name("IMAGE")
        ->required();
    command->add_option("-a,--author", options->commit.author, "Who made it, as the image's config tells")
        ->type_name("TEXT");
    command->add_option("-m,--message", options->commit.message, "What was done, for \"image history\"")
        ->type_name("TEXT");
    add_compression_option(*command, options->commit.compression);
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
