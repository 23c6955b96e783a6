// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/app.hpp"

#include "commands/help.hpp"
#include "version.h"

namespace shale {

namespace {

constexpr const char* description =
    "Shale shows several directories, or the layers of a container image, as one tree. What you\n"
    "change in it goes to a writable layer; the rest stays as it is.";

constexpr const char* examples =
    "To begin with (as root):\n"
    "  shale image import ./layout:latest --name debian   take in an OCI image\n"
    "  shale mount debian /mnt                            use it as a directory\n"
    "  shale diff /mnt                                    see what changed in it\n"
    "  shale umount /mnt                                  put it away\n"
    "\"shale COMMAND --help\" says more about each.";

using AddCommand = void (*)(CLI::App&, Globals&);

constexpr AddCommand commands[] = {
    add_image_command, add_mount_command,    add_umount_command,   add_mounts_command,
    add_show_command,  add_which_command,    add_who_uses_command, add_diff_command,
    add_stats_command, add_top_command,      add_events_command,   add_set_command,
    add_gc_command,    add_snapshot_command, add_verify_command,   add_store_command,
    add_run_command,   add_selftest_command, add_fsck_command,
    add_layer_command,
};

} // namespace

std::unique_ptr<CLI::App> make_app(Globals& globals) {
    auto app = std::make_unique<CLI::App>(description, "shale");
    app->formatter(std::make_shared<Help>());
    app->failure_message(usage_error);
    app->set_version_flag("--version", "shale " SHALE_VERSION);
    app->add_option("--root", globals.root, "Where images and writable layers are kept")
        ->envname("SHALE_ROOT")
        ->type_name("DIR")
        ->capture_default_str();
    app->require_subcommand(1);
    app->fallthrough();
    app->footer(examples);
    for (const AddCommand add : commands)
        add(*app, globals);
    return app;
}

int usage_status(const CLI::App& app) {
    constexpr int misused = 2;
    constexpr int misused_fsck = 16; // as e2fsck has it, with all its others
    return app.got_subcommand("fsck") ? misused_fsck : misused;
}

} // namespace shale
