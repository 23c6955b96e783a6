// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <set>

#include <linux/shale.h>

#include "base/error.hpp"
#include "commands/counters.hpp"
#include "commands/event_kinds.hpp"
#include "commands/format.hpp"
#include "commands/globals.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"
#include "commands/wait.hpp"
#include "netlink/client.hpp"
#include "netlink/event_stream.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Follow what happens in mounts: who had what copied up, hidden or redirected, and what failed.\n\n"
    "It ends with status 0 on SIGINT, SIGTERM or SIGHUP, after --count events, or when the last of\n"
    "the mounts that were named is unmounted. Events that were lost on the way are told on standard\n"
    "error: those above the mount's rate, and those that came faster than they were read. As long as\n"
    "nobody follows, events cost nothing.";

constexpr const char* examples =
    "Examples:\n"
    "  shale events                                 all, of all mounts\n"
    "  shale events /mnt --kind copied-up,failed    some, of one\n"
    "  shale events --json | jq -r .path            one JSON object per line\n"
    "  shale events /mnt --count 1                  wait for the next one";

struct EventsOptions {
    std::vector<std::string> targets;
    std::vector<std::string> kinds;
    uint64_t count = 0; ///< 0: no end
};

/// "14:03:11.123456", local time
std::string clock_text(uint64_t nanoseconds) {
    const auto seconds = static_cast<time_t>(nanoseconds / 1000000000);
    struct tm local {};
    char clock[16] = "";
    if (localtime_r(&seconds, &local))
        std::strftime(clock, sizeof(clock), "%T", &local);
    char text[40];
    std::snprintf(text, sizeof(text), "%s.%06u", clock,
                  static_cast<unsigned>(nanoseconds % 1000000000 / 1000));
    return text;
}

std::string duration_text(uint64_t nanoseconds) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3f ms", static_cast<double>(nanoseconds) / 1e6);
    return text;
}

/// Where mounts are found. One that is met first, or that had no mount point yet, is asked for again.
class MountNames {
public:
    const std::string& of(uint64_t id) {
        Known& known = known_[id];
        if (!known.placed && known.attempts < most_attempts) {
            known.attempts++;
            learn();
        }
        if (known.name.empty())
            known.name = "mount " + std::to_string(id);
        return known.name;
    }

private:
    static constexpr int most_attempts = 5;
    struct Known {
        std::string name;
        bool placed = false; ///< it has a mount point here
        int attempts = 0;
    };

    void learn() {
        auto client = netlink::Client::open_if_loaded();
        if (!client)
            return;
        const Places places;
        for (const auto& mount : client->mounts()) {
            Known& known = known_[mount.id];
            known.name = places.first_of(mount);
            known.placed = !places.of(mount).empty();
        }
    }

    std::map<uint64_t, Known> known_;
};

std::string event_text(const netlink::Event& event, const std::string& mount) {
    std::string text = clock_text(event.time) + "  " + name_of(event.kind) + "  " + mount;
    if (event.path)
        text += "  " + *event.path;
    if (event.redirect)
        text += "  to " + *event.redirect;
    const char* separator = "  ";
    const auto add = [&](const std::string& words) {
        text += separator + words;
        separator = ", ";
    };
    if (event.error)
        add(errno_name(*event.error) + " (" + std::strerror(static_cast<int>(*event.error)) + ")");
    if (event.reason)
        add("for " + name_of(*event.reason));
    if (event.bytes)
        add(size_text(static_cast<double>(*event.bytes)));
    if (event.duration)
        add(duration_text(*event.duration));
    if (event.pid)
        add("by " + event.comm.value_or("?") + "[" + std::to_string(*event.pid) + "]" +
            (event.uid ? " of uid " + std::to_string(*event.uid) : ""));
    return printable(text);
}

nlohmann::json event_json(const netlink::Event& event, const std::string& mount) {
    nlohmann::json document = {{"mount", event.mount},
                               {"mountpoint", mount},
                               {"seq", event.seq},
                               {"kind", name_of(event.kind)},
                               {"time", event.time},
                               {"dropped", event.dropped}};
    const auto add = [&](const char* name, const auto& value) {
        if (value)
            document[name] = *value;
    };
    add("pid", event.pid);
    add("tid", event.tid);
    add("comm", event.comm);
    add("cgroup", event.cgroup);
    add("uid", event.uid);
    add("path", event.path);
    add("ino", event.ino);
    add("bytes", event.bytes);
    add("duration", event.duration);
    if (event.reason)
        document["reason"] = name_of(*event.reason);
    add("redirect", event.redirect);
    if (event.error) {
        document["errno"] = *event.error;
        document["error"] = errno_name(*event.error);
    }
    return document;
}

class Follower {
public:
    Follower(const EventsOptions& options, const Globals& globals)
        : json_(globals.json), left_(options.count) {
        for (const std::string& list : options.kinds) {
            for (const auto kind : parse_kinds(list))
                kinds_.insert(kind);
        }
        if (!options.targets.empty())
            find_targets(options.targets, globals);
        for (const auto kind : netlink::event_kinds()) {
            if (kinds_.empty() || kinds_.contains(kind))
                groups_.insert(group_of(kind));
        }
        if (!mounts_.empty())
            groups_.insert(SHALE_MCGRP_MOUNTS);
    }

    void run() {
        Waiting waiting;
        auto stream = netlink::EventStream::open(groups_);
        check_targets();
        do {
            while (auto notice = stream.next()) {
                if (!std::visit([this](const auto& what) { return take(what); }, *notice))
                    return;
                if (CancelOnSignal::received() != 0 || !std::cout)
                    return;
            }
        } while (waiting.wait(stream.fd()));
    }

private:
    void find_targets(const std::vector<std::string>& targets, const Globals& globals) {
        auto client = netlink::Client::open();
        auto store = existing_store(globals.root);
        for (const std::string& target : targets)
            mounts_.insert(find_mount(target, client, store).id);
        named_ = true;
    }

    /// One that ended between being found and being listened to would never be told of.
    void check_targets() {
        if (!named_)
            return;
        std::set<uint64_t> alive;
        for (const auto& mount : netlink::Client::open().mounts())
            alive.insert(mount.id);
        for (const uint64_t id : mounts_) {
            if (!alive.contains(id))
                throw Error("mount " + std::to_string(id), "was unmounted meanwhile");
        }
    }

    // Each says whether to go on.

    bool take(const netlink::Arrival& arrival) {
        const netlink::Event& event = arrival.event;
        if (named_ && !mounts_.contains(event.mount))
            return true;
        tell_missing(arrival);
        if (kinds_.empty() || kinds_.contains(event.kind)) {
            const std::string& mount = names_.of(event.mount);
            if (json_)
                print_json_line(event_json(event, mount));
            else
                std::cout << event_text(event, mount) << std::endl;
            if (left_ > 0 && --left_ == 0)
                return false;
        }
        if (event.kind != netlink::EventKind::unmounted)
            return true;
        mounts_.erase(event.mount);
        return !named_ || !mounts_.empty();
    }

    bool take(const netlink::Overrun&) {
        std::cerr << "shale: events were lost, as they came faster than they were read; fewer come "
                     "with --kind or TARGET, or with \"shale set --event-rate\"\n";
        return true;
    }

    bool take(const netlink::Unloaded&) {
        throw Error("module shale", "was unloaded");
    }

    /// Numbers that are passed over tell of a loss only to who listens to all groups.
    void tell_missing(const netlink::Arrival& arrival) {
        const uint64_t lost =
            listens_to_all() ? std::max(arrival.missing, arrival.dropped) : arrival.dropped;
        if (lost == 0)
            return;
        std::cerr << "shale: " << printable(names_.of(arrival.event.mount)) << ": "
                  << count_text(lost, "event") << " lost before number " << arrival.event.seq;
        if (arrival.dropped > 0)
            std::cerr << ", " << arrival.dropped
                      << " of them above the mount's rate or for want of memory";
        std::cerr << "\n";
    }

    bool listens_to_all() const {
        const auto& kinds = netlink::event_kinds();
        return std::all_of(kinds.begin(), kinds.end(),
                           [&](auto kind) { return groups_.contains(group_of(kind)); });
    }

    bool json_;
    bool named_ = false; ///< only the mounts_ count
    uint64_t left_;
    std::set<netlink::EventKind> kinds_; ///< empty: all
    std::set<uint64_t> mounts_;
    std::set<std::string> groups_;
    MountNames names_;
};

} // namespace

void add_events_command(CLI::App& app, Globals& globals) {
    auto options = std::make_shared<EventsOptions>();
    CLI::App* command = app.add_subcommand("events", description);
    command
        ->add_option("targets", options->targets,
                     "Mount points, names, or ids; all mounts, if none is given")
        ->type_name("DIR|NAME...");
    command->add_option("--kind", options->kinds, "Only such events: " + kinds_text())
        ->type_name("KIND,...")
        ->allow_extra_args(false)
        ->take_all();
    command->add_option("--count", options->count, "End after N events")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    command->add_flag("--json", globals.json, "Print one JSON object per line, for scripts");
    command->footer(examples);
    command->callback([options, &globals] { Follower(*options, globals).run(); });
}

} // namespace shale
