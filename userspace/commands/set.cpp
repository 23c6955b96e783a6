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
    "Change what events are sent of a mount, and how large a file may be to be copied up.\n\n"
    "Nothing of it outlasts the mount. A file above the limit can't be opened for writing: that\n"
    "fails with EFBIG, and with an event that names it.";

constexpr const char* examples =
    "Examples:\n"
    "  shale set /mnt --max-copy-up 100M            larger files stay as they are; \"none\": no limit\n"
    "  shale set web --event-rate 1000              drop events above 1000 in a second\n"
    "  shale set web --events copied-up,failed      send no others; \"all\" and \"none\" do, too";

struct SetOptions {
    std::string target;
    std::optional<std::string> events;
    std::optional<uint32_t> event_rate;
    std::optional<std::string> max_copy_up;
};

netlink::Changes changes_of(const SetOptions& options) {
    netlink::Changes changes;
    if (options.events)
        changes.events = event_mask(*options.events);
    changes.event_rate = options.event_rate;
    if (options.max_copy_up) {
        changes.max_copy_up = *options.max_copy_up == "none" ? 0 : parse_size(*options.max_copy_up);
        if (!changes.max_copy_up)
            throw CLI::ValidationError("--max-copy-up " + *options.max_copy_up +
                                       ": not a size such as 4096, 64K, 100M or 2G, nor \"none\"");
    }
    if (!changes.events && !changes.event_rate && !changes.max_copy_up)
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
    default:
        return options.target;
    }
}

std::string way_out(int error) {
    switch (error) {
    case EPERM:
        return "only root may change a mount: run it with sudo";
    case ENOENT:
        return "it was unmounted meanwhile: \"shale mounts\" lists what is mounted";
    case EOPNOTSUPP:
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
        throw Error(culprit(refused, options), refused.what(), way_out(refused.error()));
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
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
