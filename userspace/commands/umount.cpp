// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "base/error.hpp"
#include "commands/globals.hpp"
#include "commands/mounted.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"
#include "mounting/unmount.hpp"
#include "netlink/client.hpp"

namespace shale {

namespace {

struct UmountOptions {
    std::string target;
    bool lazy = false;
    bool remove = false;
};

constexpr const char* description =
    "Unmount a directory, or what is mounted under a name.\n\n"
    "The writable layer stays, with all changes: mount it again with --name. With --rm it is\n"
    "deleted.";

constexpr const char* examples = "Examples:\n"
                                 "  shale umount /mnt\n"
                                 "  shale umount web        the writable layer \"web\", wherever\n"
                                 "  shale umount web --rm   and throw its changes away";

mounting::MountPoint find_mount(const std::string& target, std::optional<Store>& store) {
    if (auto mount = mounted_on(target)) {
        if (!is_shale(*mount))
            throw Error(target, "not a Shale mount: its type is " + mount->type,
                        "\"umount " + target + "\" unmounts it; \"shale mounts\" lists Shale's");
        return *std::move(mount);
    }
    if (target.find('/') == std::string::npos) {
        auto mounts = mounted_as(target, store);
        if (mounts.size() > 1) {
            std::string places;
            for (const auto& mount : mounts)
                places += (places.empty() ? "" : ", ") + mount.path;
            throw Error(target, "mounted in several places: " + places, "name one of them");
        }
        if (mounts.size() == 1)
            return std::move(mounts.front());
    }
    throw Error(target, "neither a mount point nor the name of a mount",
                "\"shale mounts\" lists what is mounted");
}

/// The snapshot that this mount is of.
std::optional<SnapshotRecord> snapshot_at(const mounting::MountPoint& point,
                                          std::optional<Store>& store) {
    if (!store)
        return std::nullopt;
    for (const auto& mount : netlink::Client::open().mounts()) {
        if (mount.major == point.major && mount.minor == point.minor)
            return snapshot_of(*store, mount);
    }
    return std::nullopt;
}

void remove_layer(Store& store, const SnapshotRecord& snapshot) {
    if (!store.remove_snapshot(snapshot.name, is_upper_mounted))
        throw Error(snapshot.name,
                    "still mounted in another place or namespace, so it is kept",
                    "\"shale mounts\" shows where; unmount that with --rm");
}

void run(const UmountOptions& options, const Globals& globals) {
    auto store = existing_store(globals.root);
    const auto point = find_mount(options.target, store);
    const auto snapshot = snapshot_at(point, store);
    if (options.remove && !snapshot)
        throw Error(options.target, "has no writable layer in the store to remove",
                    "unmount it without --rm");

    mounting::unmount(point, options.lazy);
    if (options.remove)
        remove_layer(*store, *snapshot);

    if (globals.json) {
        print_json({{"mountpoint", point.path},
                    {"name", snapshot ? nlohmann::json(snapshot->name) : nlohmann::json()},
                    {"removed", options.remove}});
        return;
    }
    std::cout << "unmounted " << printable(point.path);
    if (options.remove)
        std::cout << "; the " << (snapshot->is_view ? "view " : "writable layer ") << snapshot->name << " is removed";
    else if (snapshot && snapshot->is_view)
        std::cout << "; the view " << snapshot->name << " is kept";
    else if (snapshot)
        std::cout << "; its changes are kept: \"shale mount " << printable(snapshot->image)
                  << " DIR --name " << snapshot->name << "\" brings them back";
    std::cout << "\n";
}

} // namespace

void add_umount_command(CLI::App& app, Globals& globals) {
    auto options = std::make_shared<UmountOptions>();
    CLI::App* command = app.add_subcommand("umount", description);
    command->add_option("target", options->target, "Mount point, or name of the writable layer or view")
        ->type_name("DIR|NAME")
        ->required();
    CLI::Option* lazy = command->add_flag(
        "--lazy", options->lazy, "Detach it at once, even if it is in use; it ends when it is not");
    command->add_flag("--rm,--remove", options->remove, "Delete the writable layer, or the view, as well")
        ->excludes(lazy);
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
