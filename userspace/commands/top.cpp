// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <tuple>

#include <unistd.h>

#include "commands/counters.hpp"
#include "commands/format.hpp"
#include "commands/globals.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"
#include "commands/wait.hpp"
#include "netlink/client.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Show what the mounts do at this moment, the busiest first, again and again.\n\n"
    "Each round tells what happened since the last one, per second; SAVED is how many questions to\n"
    "layers were answered by a listing instead, LISTINGS the memory that these take now. On a\n"
    "terminal the table stands still; elsewhere one follows another. Ctrl-C ends it.";

constexpr const char* examples = "Examples:\n"
                                 "  shale top                   every two seconds\n"
                                 "  shale top -d 10 -n 6        six times, once in ten seconds\n"
                                 "  shale top --json -n 1       one JSON array per round, in a line";

struct TopOptions {
    double seconds = 2;
    uint64_t rounds = 0; ///< 0: no end
};

using Clock = std::chrono::steady_clock;

/// All counters at one moment.
struct Sample {
    Clock::time_point time;
    std::map<uint64_t, netlink::CountersRecord> mounts;
};

/// What one mount did between two samples, per second.
struct Row {
    uint64_t id = 0;
    std::string place;
    double copy_ups = 0;
    double bytes = 0;
    double look_ups = 0;
    uint64_t probes = 0; ///< in all of the time, as are the saved ones
    uint64_t saved = 0;
    uint64_t listing_bytes = 0;
};

Sample take_sample(netlink::Client& client) {
    Sample sample;
    for (auto& counters : client.counters())
        sample.mounts.emplace(counters.id, std::move(counters));
    sample.time = Clock::now();
    return sample;
}

/// A mount that is new has done all that was counted since the last round.
std::vector<Row> compare(const Sample& before, const Sample& now, netlink::Client& client) {
    const double seconds = std::chrono::duration<double>(now.time - before.time).count();
    const Places places;
    std::vector<Row> rows;
    for (const auto& mount : client.mounts()) {
        const auto found = now.mounts.find(mount.id);
        if (found == now.mounts.end())
            continue;
        const auto earlier = before.mounts.find(mount.id);
        const netlink::CountersRecord none;
        const auto& last = earlier == before.mounts.end() ? none : earlier->second;
        const auto& counters = found->second;
        const auto rate = [&](uint64_t value, uint64_t old) {
            return seconds > 0 ? static_cast<double>(value - old) / seconds : 0;
        };
        rows.push_back({mount.id, places.first_of(mount), rate(counters.copy_ups, last.copy_ups),
                        rate(counters.copy_up_bytes, last.copy_up_bytes),
                        rate(counters.look_ups, last.look_ups), counters.probes - last.probes,
                        counters.probes_saved - last.probes_saved, counters.listing_bytes});
    }
    std::stable_sort(rows.begin(), rows.end(), [](const Row& one, const Row& other) {
        return std::tie(one.bytes, one.copy_ups, one.look_ups) >
               std::tie(other.bytes, other.copy_ups, other.look_ups);
    });
    return rows;
}

std::string rate_text(double rate) {
    char text[32];
    std::snprintf(text, sizeof(text), rate > 0 && rate < 10 ? "%.1f" : "%.0f", rate);
    return text;
}

void print_table(const std::vector<Row>& rows, std::ostream& out) {
    Table table({"ID", "COPY-UPS/s", "BYTES/s", "LOOK-UPS/s", "SAVED", "LISTINGS", "MOUNTED ON"});
    for (const Row& row : rows)
        table.add({std::to_string(row.id), rate_text(row.copy_ups), size_text(row.bytes),
                   rate_text(row.look_ups), saved_text(row.probes, row.saved),
                   size_text(static_cast<double>(row.listing_bytes)), row.place});
    table.print(out);
}

nlohmann::json document(const std::vector<Row>& rows) {
    auto list = nlohmann::json::array();
    for (const Row& row : rows)
        list.push_back({{"id", row.id},
                        {"mountpoint", row.place},
                        {"copy_ups_per_second", row.copy_ups},
                        {"bytes_per_second", row.bytes},
                        {"look_ups_per_second", row.look_ups},
                        {"probes", row.probes},
                        {"probes_saved", row.saved},
                        {"listing_bytes", row.listing_bytes}});
    return list;
}

/// One screen, written at once so that it does not flicker. What was there is overwritten line by
/// line, then the rest of the screen is cleared.
void draw(const std::string& text, double seconds) {
    std::string screen = "\033[H";
    std::ostringstream head;
    head << "shale top: every " << seconds << " s; Ctrl-C ends it\n\n";
    for (const char c : head.str() + text) {
        if (c == '\n')
            screen += "\033[K";
        screen += c;
    }
    std::cout << screen << "\033[J" << std::flush;
}

void run(const TopOptions& options, const Globals& globals) {
    const bool terminal = !globals.json && isatty(STDOUT_FILENO) != 0;
    const std::chrono::milliseconds interval(std::llround(options.seconds * 1000));
    auto client = netlink::Client::open();
    Waiting waiting;
    if (terminal)
        std::cout << "\033[2J" << std::flush;
    Sample before = take_sample(client);
    // A terminal shows at once which mounts there are.
    if (terminal) {
        std::ostringstream text;
        print_table(compare(before, before, client), text);
        draw(text.str(), options.seconds);
    }
    for (uint64_t round = 0; (options.rounds == 0 || round < options.rounds) && std::cout; ++round) {
        if (!waiting.wait(-1, interval))
            return;
        Sample now = take_sample(client);
        const auto rows = compare(before, now, client);
        std::ostringstream text;
        print_table(rows, text);
        if (globals.json)
            print_json_line(document(rows));
        else if (terminal)
            draw(text.str(), options.seconds);
        else
            std::cout << (round > 0 ? "\n" : "") << text.str() << std::flush;
        before = std::move(now);
    }
}

} // namespace

void add_top_command(CLI::App& app, Globals& globals) {
    auto options = std::make_shared<TopOptions>();
    CLI::App* command = app.add_subcommand("top", description);
    command->add_option("-d,--delay", options->seconds, "Seconds from one round to the next")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.1, 86400.0, "a number of seconds from 0.1 to 86400"))
        ->capture_default_str();
    command->add_option("-n,--rounds", options->rounds, "End after N rounds")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    command->add_flag("--json", globals.json, "Print one JSON array per round, each in a line");
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
