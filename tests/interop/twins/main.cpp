// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale-twins: does the same random things to two mounted trees, and compares.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <grp.h>
#include <unistd.h>

#include "base/error.hpp"
#include "ornaments.hpp"
#include "runner.hpp"
#include "tolerance.hpp"

namespace {

constexpr const char* usage =
    "usage: shale-twins ornament SEED LAYER   adds to a layer what shale-model's lack\n"
    "       shale-twins show DIR              what a tree shows, a line for each name\n"
    "       shale-twins run SEED COUNT [OPTION...] TREE TWIN\n"
    "                                         COUNT operations in both; status 1 when they differ\n"
    "         --every N       compares the whole trees after each N operations (default 250)\n"
    "         --verbose       prints each operation and its answer\n"
    "         --leave-out OP  leaves an operation like \"chmod\" out in TWIN, which must be found\n";

unsigned number(const std::string& text) {
    return static_cast<unsigned>(std::strtoul(text.c_str(), nullptr, 10));
}

int show(const std::string& directory) {
    if (chdir(directory.c_str()) != 0)
        throw shale::Error::from_errno(directory, errno);
    for (const auto& [path, seen] : shale::twins::take_snapshot(shale::twins::Times::exact))
        std::printf("%s %s\n", path.c_str(), seen.c_str());
    return 0;
}

struct RunOptions {
    unsigned interval = 250;
    bool verbose = false;
    std::string left_out;
};

/// Takes the options from the front of @p arguments.
RunOptions parse(std::vector<std::string>& arguments) {
    RunOptions options;
    while (arguments.size() > 2) {
        const std::string option = arguments.front();
        arguments.erase(arguments.begin());
        if (option == "--verbose") {
            options.verbose = true;
            continue;
        }
        const std::string value = arguments.front();
        arguments.erase(arguments.begin());
        if (option == "--every")
            options.interval = number(value);
        else if (option == "--leave-out")
            options.left_out = value;
        else
            arguments.clear();
    }
    return options;
}

std::optional<int> run(unsigned seed, unsigned count, std::vector<std::string> arguments) {
    const RunOptions options = parse(arguments);
    if (arguments.size() != 2 || options.interval == 0)
        return std::nullopt;
    setgroups(0, nullptr); // the user has none but its own
    shale::twins::Runner runner(seed, arguments[0], arguments[1]);
    if (options.verbose)
        runner.be_verbose();
    runner.leave_out(options.left_out);
    const bool same = runner.run(count, options.interval);
    shale::twins::print_counts();
    return same ? 0 : 1;
}

std::optional<int> dispatch(const std::vector<std::string>& arguments) {
    const std::string verb = arguments.empty() ? "" : arguments[0];
    if (verb == "ornament" && arguments.size() == 3) {
        shale::twins::add_ornaments(number(arguments[1]), arguments[2]);
        return 0;
    }
    if (verb == "show" && arguments.size() == 2)
        return show(arguments[1]);
    if (verb == "run" && arguments.size() >= 5)
        return run(number(arguments[1]), number(arguments[2]), {arguments.begin() + 3, arguments.end()});
    return std::nullopt;
}

} // namespace

int main(int argc, char** argv) {
    try {
        const auto status = dispatch({argv + 1, argv + argc});
        if (!status)
            std::fputs(usage, stderr);
        return status.value_or(2);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "shale-twins: %s\n", error.what());
        return 3;
    }
}
