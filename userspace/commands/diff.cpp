// SPDX-License-Identifier: GPL-2.0-or-later
#include <memory>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "commands/changes.hpp"
#include "commands/globals.hpp"
#include "commands/layers.hpp"
#include "commands/target.hpp"
#include "netlink/client.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Show what a writable layer changes, compared with the layers below it.\n\n"
    "  A  added     C  changed (content, or mode, owner, times, attributes)     D  deleted\n\n"
    "Of a deleted directory only the directory is listed. A directory in which something changed\n"
    "is itself listed only if its own mode, owner or attributes changed.";

constexpr const char* examples = "Examples:\n"
                                 "  shale diff web     the writable layer \"web\", mounted or not\n"
                                 "  shale diff /mnt    what is mounted there";

std::vector<tree::Change> changes_of_mount(const std::string& directory) {
    const UniqueFd fd = open_at(AT_FDCWD, directory, O_PATH | O_DIRECTORY);
    auto mount = netlink::Client::open().mount_of(fd.get());
    if (!mount.upper)
        throw Error(directory, "is mounted without a writable layer, so nothing in it can change",
                    "name a mount that has one: \"shale mounts\" lists them");
    require_paths(mount);
    return find_changes(*mount.upper, mount.lowers);
}

std::vector<tree::Change> changes_of(const std::string& target, const Globals& globals) {
    const auto point = mounted_on(target);
    if (point && is_shale(*point))
        return changes_of_mount(target);
    if (point || target.find('/') != std::string::npos)
        throw Error(target,
                    point ? "not a Shale mount: its type is " + point->type : "not a mount point",
                    "\"shale mounts\" lists what is mounted");
    if (auto store = existing_store(globals.root))
        return changes_of_snapshot(target, *store);
    throw Error(target, "there is no store in " + globals.root,
                "name it with --root, or name a mount point");
}

void run(const std::string& target, const Globals& globals) {
    print_changes(changes_of(target, globals), globals);
}

} // namespace

void add_diff_command(CLI::App& app, Globals& globals) {
    auto target = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("diff", description);
    command->add_option("target", *target, "Name of a writable layer, or a mount point")
        ->type_name("NAME|DIR")
        ->required();
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([target, &globals] { run(*target, globals); });
}

} // namespace shale
