// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale-twins: does the same random things to two mounted trees, and compares.
#include <cerrno>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <grp.h>
#include <unistd.h>

#include "arguments.hpp"
#include "base/error.hpp"
#include "ornaments.hpp"
#include "runner.hpp"
#include "tolerance.hpp"

namespace {

constexpr const char* usage =
    "usage: shale-twins ornament [OPTION] SEED LAYER\n"
    "                                         adds to a layer what shale-model's lack\n"
    "       shale-twins show [OPTION...] DIR  what a tree shows, a line for each name\n"
    "       shale-twins run [OPTION...] SEED COUNT TREE TWIN\n"
    "                                         COUNT operations in both; says in its last line "
    "how\n"
    "                                         many were made; status 1 when the trees differ, 2 "
    "when\n"
    "                                         they parted for a reason that is tolerated\n"
    "  --every N           compares the whole trees after each N operations (default 250)\n"
    "  --no-links          adds no hard links\n"
    "  --several-fs        the layers lie on more than one file system\n"
    "  --no-handles        and one of these gives out no file handles\n"
    "  --verbose           prints each operation and its answer\n"
    "  --leave-out OP      leaves operations like \"chmod\" out in TWIN, which must be found\n";

using shale::Arguments;
using shale::number;
using shale::take;

struct Options {
    shale::twins::View view;
    unsigned interval = 250;
    bool verbose = false;
    bool hard_links = true;
    std::string left_out;
};

/// Takes the options away from the front. Nothing, if one of them is unknown.
std::optional<Options> take_options(Arguments& arguments) {
    Options options;
    while (!arguments.empty() && arguments.front().starts_with("--")) {
        const std::string option = take(arguments);
        if (option == "--every")
            options.interval = number(take(arguments));
        else if (option == "--several-fs")
            options.view.one_file_system = false;
        else if (option == "--no-handles")
            options.view.identities = false;
        else if (option == "--no-links")
            options.hard_links = false;
        else if (option == "--verbose")
            options.verbose = true;
        else if (option == "--leave-out")
            options.left_out = take(arguments);
        else
            return std::nullopt;
    }
    return options;
}

int show(const Options& options, const std::string& directory) {
    if (chdir(directory.c_str()) != 0)
        throw shale::Error::from_errno(directory, errno);
    shale::twins::View view = options.view;
    view.times = shale::twins::Times::exact;
    view.inode_numbers = view.one_file_system;
    for (const auto& [path, seen] : shale::twins::take_snapshot(view))
        std::printf("%s %s\n", path.c_str(), seen.c_str());
    return 0;
}

int run(const Options& options, const Arguments& arguments) {
    setgroups(0, nullptr); // the user has none but its own
    shale::twins::Runner runner(number(arguments[0]), options.view, arguments[2], arguments[3]);
    if (options.verbose)
        runner.be_verbose();
    runner.leave_out(options.left_out);
    const auto result = runner.run(number(arguments[1]), options.interval);
    shale::twins::print_counts();
    std::printf("%u operations\n", runner.made());
    return static_cast<int>(result);
}

std::optional<int> dispatch(Arguments arguments) {
    const std::string verb = take(arguments);
    const std::optional<Options> options = take_options(arguments);
    if (!options || options->interval == 0)
        return std::nullopt;
    if (verb == "show" && arguments.size() == 1)
        return show(*options, arguments[0]);
    if (verb == "run" && arguments.size() == 4)
        return run(*options, arguments);
    if (verb == "ornament" && arguments.size() == 2) {
        shale::twins::add_ornaments(number(arguments[0]), arguments[1], options->hard_links);
        return 0;
    }
    return std::nullopt;
}

} // namespace

int main(int argc, char** argv) {
    try {
        const auto status = dispatch({argv + 1, argv + argc});
        if (!status)
            std::fputs(usage, stderr);
        return status.value_or(64);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "shale-twins: %s\n", error.what());
        return 70;
    }
}
