// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale-powercut: the load that the power is cut under, and what looks at what is left.
#include <cstdio>
#include <exception>
#include <string>

#include "arguments.hpp"
#include "check.hpp"
#include "layers.hpp"
#include "load.hpp"
#include "replay.hpp"

namespace {

using namespace shale;
using namespace shale::powercut;

constexpr const char* usage =
    "usage: shale-powercut layers [--rooms N] DIR\n"
    "                                          makes the lower layers DIR/top and DIR/low\n"
    "       shale-powercut load [--rooms N] [--linked] [--lies] [--operations N] [--log DEVICE | --prefix TEXT]\n"
    "                           SEED DIR\n"
    "                                          changes a mount of them, and says what was promised\n"
    "       shale-powercut check [--rooms N] [--linked] SEED BASE DIR JOURNAL\n"
    "                                          is DIR, mounted of what BASE has, what there may be?\n"
    "       shale-powercut replay LOG IMAGE COUNT JOURNAL COMMAND...\n"
    "                                          replays a log of dm-log-writes and stops now and then\n"
    "  --rooms N       each hand has so many directories to work in, one after the other: more for a longer run\n"
    "  --linked        the mount has an index\n"
    "  --lies          promises without syncing\n"
    "  --operations N  of each hand; without it, no end\n"
    "  --log DEVICE    promises are marks in the log of this device, else lines with this prefix\n";

struct Options {
    Load load;
    std::string log, prefix;
};

Options take_options(Arguments& arguments) {
    Options options;
    while (!arguments.empty() && arguments.front().starts_with("--")) {
        const std::string option = take(arguments);
        if (option == "--rooms")
            nr_rooms = number(take(arguments));
        else if (option == "--linked")
            options.load.linked = true;
        else if (option == "--lies")
            options.load.lies = true;
        else if (option == "--operations")
            options.load.operations = number(take(arguments));
        else if (option == "--log")
            options.log = take(arguments);
        else if (option == "--prefix")
            options.prefix = take(arguments);
    }
    return options;
}

int load(Arguments& arguments) {
    Options options = take_options(arguments);
    options.load.seed = number(take(arguments));
    const auto promises = options.log.empty() ? promises_on_output(options.prefix) : promises_in_log(options.log);
    run_load(options.load, take(arguments), *promises);
    return 0;
}

int run(Arguments& arguments) {
    const std::string verb = take(arguments);
    if (verb == "layers" && !arguments.empty()) {
        take_options(arguments);
        make_layers(take(arguments));
        return 0;
    }
    if (verb == "load" && arguments.size() >= 2)
        return load(arguments);
    if (verb == "check" && arguments.size() >= 4) {
        const bool linked = take_options(arguments).load.linked;
        const unsigned seed = number(take(arguments));
        const Stack stack = {take(arguments), take(arguments), linked};
        return check(seed, stack, take(arguments)) ? 0 : 1;
    }
    if (verb == "replay" && arguments.size() >= 5) {
        const std::string log = take(arguments), image = take(arguments);
        const unsigned count = number(take(arguments));
        const std::string journal = take(arguments);
        return replay(log, image, count, journal, arguments) ? 0 : 1;
    }
    std::fputs(usage, stderr);
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    Arguments arguments(argv + 1, argv + argc);
    try {
        return run(arguments);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "shale-powercut: %s\n", error.what());
        return 3;
    }
}
