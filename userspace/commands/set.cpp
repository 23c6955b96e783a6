// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include <linux/shale.h>

#include "base/error.hpp"
#include "base/join.hpp"
#include "commands/event_kinds.hpp"
#include "commands/format.hpp"
#include "commands/globals.hpp"
#include "commands/limits.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"
#include "netlink/client.hpp"
#include "netlink/refused.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Change what events are sent of a mount, how large a file may be to be copied up, and how much\n"
    "the writable layer may hold.\n\n"
    "Nothing of it outlasts the mount. A file above --max-copy-up can't be opened for writing: that\n"
    "fails with EFBIG, and with an event that names it. --size and --inodes can be changed where the\n"
    "mount was made with one of these options; when they are less than what is there, it stays.";

constexpr const char* examples =
    "Examples:\n"
    "  shale set /mnt --max-copy-up 100M            larger files stay as they are; \"none\": no limit\n"
    "  shale set web --size 20G                     the writable layer may hold so much\n"
    "  shale set web --event-rate 1000              drop events above 1000 in a second\n"
    "  shale set web --events copied-up,failed      send no others; \"all\" and \"none\" do, too";

struct SetOptions {
    std::string target;
    std::optional<std::string> events;
    std::optional<uint32_t> event_rate;
    std::optional<std::string> max_copy_up;
    std::optional<std::string> size;
    std::optional<std::string> inodes;
};

/// A limit as it was typed behind @p option: a size or number above 0, or "none", which is 0.
std::uint64_t limit_of(const std::string& option, const std::string& text) {
    if (text == "none")
        return 0;
    const auto limit = parse_size(text);
    if (!limit || *limit == 0)
        throw CLI::ValidationError(option + " " + text +
                                   ": not a number such as 4096, 64K, 100M or 2G, nor \"none\"");
    return *limit;
}

netlink::Changes changes_of(const SetOptions& options) {
    netlink::Changes changes;
    if (options.events)
        changes.events = event_mask(*options.events);
    changes.event_rate = options.event_rate;
    if (options.max_copy_up)
        changes.max_copy_up = limit_of("--max-copy-up", *options.max_copy_up);
    if (options.size)
        changes.size = limit_of("--size", *options.size);
    if (options.inodes)
        changes.inodes = limit_of("--inodes", *options.inodes);
    if (!changes.events && !changes.event_rate && !changes.max_copy_up && !changes.size &&
        !changes.inodes)
        throw CLI::ValidationError("nothing is to be changed");
    return changes;
}

/// The option that the kernel refuses, as it was typed.
std::string culprit(const netlink::Refused& refused, const SetOptions& options) {
    if (!refused.attribute)
        return options.target;
    switch (refused.attribute->type) {
    case SHALE_A_MOUNT_EVENTS:
        return "--events " + options.events.value_or("");
    case SHALE_A_MOUNT_EVENT_RATE:
        return "--event-rate " + std::to_string(options.event_rate.value_or(0));
    case SHALE_A_MOUNT_MAX_COPY_UP:
        return "--max-copy-up " + options.max_copy_up.value_or("");
    case SHALE_A_MOUNT_SIZE:
        return "--size " + options.size.value_or("");
    case SHALE_A_MOUNT_INODES:
        return "--inodes " + options.inodes.value_or("");
    default:
        return options.target;
    }
}

std::string way_out(const netlink::Refused& refused) {
    switch (refused.error()) {
    case EPERM:
        return "only root may change a mount: run it with sudo";
    case ENOENT:
        return "it was unmounted meanwhile: \"shale mounts\" lists what is mounted";
    case EOPNOTSUPP:
        if (refused.attribute)
            return "\"shale show\" tells the limits of a mount; \"shale mount --size\" makes one with them";
        return "the tools and the module are of different versions: install matching ones";
    default:
        return "";
    }
}

void run(const SetOptions& options, const Globals& globals) {
    const auto changes = changes_of(options);
    auto client = netlink::Client::open();
    auto store = existing_store(globals.root);
    const auto before = find_mount(options.target, client, store);
    try {
        client.set(before.id, changes);
    } catch (const netlink::Refused& refused) {
        throw Error(culprit(refused, options), refused.what(), way_out(refused));
    }

    // What holds now is what the kernel says, not what was asked for.
    const auto after = find_mount(std::to_string(before.id), client, store);
    if (globals.json) {
        auto document = limits_json(after);
        document["id"] = after.id;
        print_json(document);
        return;
    }
    std::cout << printable(place_of(after)) << "\n";
    print_limits(after, "  ", std::cout);
}

} // namespace

void add_set_command(CLI::App& app, Globals& globals) {
    auto options = std::make_shared<SetOptions>();
    CLI::App* command = app.add_subcommand("set", description);
    command->add_option("target", options->target, "Mount point, name, or id")
        ->type_name("DIR|NAME")
        ->required();
    command->add_option("--events", options->events, "Kinds of events that are sent: " + kinds_text())
        ->type_name("KIND,...");
    command->add_option("--event-rate", options->event_rate, "Most events in a second; 0: no limit")
        ->type_name("N");
    command
        ->add_option("--max-copy-up", options->max_copy_up,
                     "Size of the largest file that may be copied up, or \"none\"")
        ->type_name("SIZE");
    command->add_option("--size", options->size, "Most bytes in the writable layer, or \"none\"")
        ->type_name("SIZE");
    command->add_option("--inodes", options->inodes, "Most objects in it, or \"none\"")
        ->type_name("N");
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
