// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/exercise.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <random>

#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "commands/exercise_sites.hpp"
#include "commands/format.hpp"
#include "commands/scratch_mount.hpp"
#include "commands/table.hpp"
#include "exercise/run.hpp"
#include "exercise/script.hpp"
#include "exercise/shrink.hpp"
#include "mounting/options.hpp"
#include "netlink/client.hpp"

namespace shale {

namespace {

/// So many are made on one mount. What is found is shrunk from that, and the next one has other layers and options.
constexpr uint64_t operations_on_one = 1000;
constexpr auto longest_shrinking = std::chrono::minutes(5);

/// What is shown while it goes on, and what keeps watch for signals.
class Watch {
public:
    explicit Watch(uint64_t operations) : operations_(operations) {}

    void one_more() {
        ++made_;
        stop_if_cancelled();
        if (made_ % 100 == 0 || made_ == operations_)
            show(std::to_string(made_) + " of " + std::to_string(operations_) + " operations");
    }

    bool shrinking(const exercise::Shrinking& state) {
        stop_if_cancelled();
        show("shrinking: " + count_text(state.operations, "operation") + " left after " +
             count_text(state.replays, "try"));
        return std::chrono::steady_clock::now() - begin_ < longest_shrinking;
    }

    void begin_shrinking() { begin_ = std::chrono::steady_clock::now(); }

    void clear() const {
        if (terminal_)
            std::cerr << "\r\033[K" << std::flush;
    }

    uint64_t made() const { return made_; }

private:
    static void stop_if_cancelled() {
        if (CancelOnSignal::received())
            throw Cancelled("exercise");
    }

    void show(const std::string& text) const {
        if (terminal_)
            std::cerr << "\r\033[K" << text << std::flush;
    }

    const bool terminal_ = isatty(STDERR_FILENO) != 0;
    const uint64_t operations_;
    uint64_t made_ = 0;
    std::chrono::steady_clock::time_point begin_{};
};

bool is_older_than(unsigned major, unsigned minor) {
    utsname system{};
    uname(&system);
    unsigned is_major = 0, is_minor = 0;
    std::sscanf(system.release, "%u.%u", &is_major, &is_minor);
    return is_major != major ? is_major < major : is_minor < minor;
}

/// Whether mounts of @p type are the module's own.
bool is_type_of_module(const std::string& type) {
    try {
        return netlink::Client::open().file_system() == type;
    } catch (const Error&) {
        return false; // not loaded
    }
}

/// Where the runs of one call take place, and how they begin.
struct Ground {
    std::string type;
    exercise::OpenSite open;
    std::function<exercise::Case(unsigned seed)> begin;
};

Ground ground_in(const std::string& target, const Globals& globals) {
    const auto place = std::make_shared<const TargetPlace>(target, globals);
    return {"", [place](const exercise::Case&) { return open_in(*place); },
            [](unsigned seed) { return exercise::Case{.seed = seed}; }};
}

Ground ground_of_its_own(const Exercise& request, const Globals& globals) {
    const std::string type = request.type.empty() ? netlink::Client::open().file_system() : request.type;
    const bool is_overlayfs = !is_type_of_module(type);
    const bool is_old = is_overlayfs && is_older_than(6, 8);
    const exercise::Abilities abilities{!is_old, !is_old, has_handles_for_layers(request.scratch)};
    const auto options = mounting::parse_options(request.options).file_system;
    leave_mount_namespace("run it as root");
    const ScratchPlace place{request.scratch, type, is_overlayfs, abilities, globals};
    return {type, [place](const exercise::Case& played) { return open_scratch(place, played); },
            [=](unsigned seed) { return exercise::make_case(seed, abilities, options); }};
}

/// All that is told in the end.
struct Result {
    unsigned seed;
    uint64_t operations = 0;
    uint64_t runs = 0;
    exercise::Tolerated tolerated{};
    std::optional<exercise::Found> found{};
    std::string script{};
};

void shrink(const exercise::Outcome& outcome, const Ground& ground, Watch& progress, Result& result) {
    progress.begin_shrinking();
    result.found = exercise::shrink({outcome.played, *outcome.failure}, outcome.looks, ground.open,
                                    [&](const exercise::Shrinking& state) { return progress.shrinking(state); });
    result.script = exercise::script_of(*result.found, ground.type);
}

Result run_all(const Exercise& request, const Ground& ground, unsigned seed, Watch& progress) {
    Result result{.seed = seed};
    for (uint64_t left = request.operations; left > 0 && !result.found; ++seed) {
        const uint64_t count = std::min(left, operations_on_one);
        left -= count;
        const auto outcome = exercise::run(ground.begin(seed), count, ground.open, [&] { progress.one_more(); });
        ++result.runs;
        for (const auto& [tolerance, times] : outcome.tolerated)
            result.tolerated[tolerance] += times;
        result.operations = progress.made();
        if (outcome.failure)
            shrink(outcome, ground, progress, result);
    }
    return result;
}

nlohmann::json difference_json(const Result& result) {
    if (!result.found)
        return nullptr;
    const auto& difference = result.found->failure.difference;
    return {{"seed", result.found->played.seed},     {"path", difference.path}, {"aspect", difference.aspect},
            {"expected", difference.expected},       {"seen", difference.seen},
            {"steps", result.found->played.steps.size()}, {"script", result.script}};
}

void print(const Result& result, const Ground& ground, const Globals& globals) {
    if (globals.json) {
        nlohmann::json tolerated = nlohmann::json::object();
        for (const auto& [tolerance, times] : result.tolerated)
            tolerated[exercise::describe(tolerance)] = times;
        print_json({{"seed", result.seed},
                    {"type", ground.type.empty() ? nlohmann::json() : nlohmann::json(ground.type)},
                    {"operations", result.operations},
                    {"runs", result.runs},
                    {"tolerated", tolerated},
                    {"difference", difference_json(result)}});
        return;
    }
    for (const auto& [tolerance, times] : result.tolerated)
        std::cout << "  passed over, see docs/differences.md: " << exercise::describe(tolerance) << ": " << times
                  << "\n";
    if (result.found)
        std::cout << result.script;
    else
        std::cout << count_text(result.operations, "operation") << " in " << count_text(result.runs, "run")
                  << ": all as the model says\n";
}

Result run_until_told(const Exercise& request, const Ground& ground, unsigned seed) {
    const CancelOnSignal signals;
    Watch progress(request.operations);
    try {
        Result result = run_all(request, ground, seed, progress);
        progress.clear();
        return result;
    } catch (const Cancelled&) {
        progress.clear();
        std::cerr << "shale: interrupted after " << count_text(progress.made(), "operation") << " from seed " << seed
                  << std::endl;
        throw Exit{128 + CancelOnSignal::received()};
    }
}

} // namespace

void run_exercise(const Exercise& request, const Globals& globals) {
    umask(exercise::umask_of_operations);
    const Ground ground = request.target ? ground_in(*request.target, globals) : ground_of_its_own(request, globals);
    const unsigned seed = request.seed ? *request.seed : std::random_device()() % 1000000;
    if (!globals.json)
        std::cout << "Seed " << seed << std::endl;
    const Result result = run_until_told(request, ground, seed);
    print(result, ground, globals);
    if (result.found) {
        const auto& difference = result.found->failure.difference;
        throw Error(difference.path,
                    "is not as the model says: " + difference.aspect + ": expected " + difference.expected + "; seen " +
                        difference.seen,
                    "the script reproduces it; as does --seed " + std::to_string(result.found->played.seed));
    }
}

} // namespace shale
