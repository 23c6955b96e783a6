// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command `shale`: its subcommands, and what an error becomes.
#include <algorithm>
#include <exception>
#include <iostream>
#include <memory>

#include <sys/resource.h>

#include "commands/globals.hpp"
#include "commands/help.hpp"
#include "version.h"

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

enum Status { fine = 0, failed = 1, misused = 2 };

using AddCommand = void (*)(CLI::App&, shale::Globals&);

constexpr AddCommand commands[] = {
    shale::add_image_command,  shale::add_mount_command, shale::add_umount_command,
    shale::add_mounts_command, shale::add_diff_command,
};

/// One descriptor is open per part of every directory on the way, and there may be thousands of
/// layers.
constexpr rlim_t many_descriptors = 65536;

/// Raises the limit of open files as far as it goes: root may pass the hard limit.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    const rlim_t most = std::max(limit.rlim_max, many_descriptors);
    const rlimit raised{most, most};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

int main(int argc, char** argv) {
    shale::Globals globals;
    CLI::App app(description, "shale");
    app.formatter(std::make_shared<shale::Help>());
    app.failure_message(shale::usage_error);
    app.set_version_flag("--version", "shale " SHALE_VERSION);
    app.add_option("--root", globals.root, "Where images and writable layers are kept")
        ->envname("SHALE_ROOT")
        ->type_name("DIR")
        ->capture_default_str();
    app.require_subcommand(1);
    app.fallthrough();
    app.footer(examples);
    for (const AddCommand add : commands)
        add(app, globals);

    raise_descriptor_limit();
    try {
        app.parse(argc, argv);
        std::cout.flush();
        if (!std::cout)
            throw std::runtime_error("standard output: cannot be written to");
        return fine;
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? fine : misused;
    } catch (const std::exception& error) {
        std::cerr << "shale: " << error.what() << "\n";
        return failed;
    }
}
