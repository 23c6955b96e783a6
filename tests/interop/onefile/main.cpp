// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale-onefile: does random things to a file in a mount, and the same to a plain one.
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <malloc.h>

#include "arguments.hpp"
#include "runner.hpp"
#include "tolerance.hpp"

namespace {

constexpr const char* usage =
    "usage: shale-onefile [OPTION...] SEED COUNT BASE LOWER\n"
    "COUNT operations, or a few more. The upper and the plain files are made below BASE, the "
    "lower\n"
    "layers below LOWER. Status 1: there was a difference, which is printed.\n"
    "  --type TYPE         of the mount (default shale)\n"
    "  --options OPTIONS   more options of the mount\n"
    "  --direct            direct I/O, too\n"
    "  --session N         begins with this one, to have a difference again\n"
    "  --verbose           prints each operation\n"
    "  --leave-out OP      does not expect what operations like \"pwrite\" do, which must be "
    "found\n";

using shale::Arguments;
using shale::number;
using shale::take;

/// Nothing, where they make no sense.
std::optional<shale::onefile::Task> read_arguments(Arguments arguments,
                                                   shale::onefile::Journal& journal) {
    shale::onefile::Task task;
    while (!arguments.empty() && arguments.front().starts_with("--")) {
        const std::string option = take(arguments);
        if (option == "--type")
            task.setting.type = take(arguments);
        else if (option == "--options")
            task.setting.options = take(arguments);
        else if (option == "--direct")
            task.direct = true;
        else if (option == "--session")
            task.first_session = number(take(arguments));
        else if (option == "--verbose")
            journal.be_verbose();
        else if (option == "--leave-out")
            journal.leave_out(take(arguments));
        else
            return std::nullopt;
    }
    if (arguments.size() != 4)
        return std::nullopt;
    task.seed = number(arguments[0]);
    task.operations = number(arguments[1]);
    task.setting.base = arguments[2];
    task.setting.lower = arguments[3];
    return task;
}

} // namespace

int main(int argc, char** argv) {
    /* Memory that was given back would have to be faulted in anew, which takes most of the time. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    shale::onefile::Journal journal;
    const auto task = read_arguments({argv + 1, argv + argc}, journal);
    if (!task) {
        std::fputs(usage, stderr);
        return 64;
    }
    bool same = false;
    try {
        same = shale::onefile::run(*task, journal);
    } catch (const std::exception& error) {
        journal.print_last();
        std::printf("shale-onefile: %s\n", error.what());
        return 70;
    }
    if (same)
        journal.print_counts();
    shale::onefile::print_tolerated();
    std::printf("%u operations\n", journal.made());
    return same ? 0 : 1;
}
