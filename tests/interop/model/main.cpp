// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale-model: what a mount should show, what it shows, and layers to try it with.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "manifest.hpp"
#include "random_changes.hpp"
#include "random_layers.hpp"

namespace {

using shale::number;

constexpr const char* usage =
    "usage: shale-model show LAYER...       what the model says\n"
    "       shale-model tree DIR            what a directory shows\n"
    "       shale-model layers SEED N DIR [no-redirects] [no-xattr-whiteouts] [no-whiteouts]\n"
    "                                       N random layers in DIR\n"
    "       shale-model change SEED N DIR   N random changes below DIR\n";

shale::Features features(const std::vector<std::string>& arguments) {
    shale::Features features;
    for (const std::string& argument : arguments) {
        features.redirects &= argument != "no-redirects";
        features.xattr_whiteouts &= argument != "no-xattr-whiteouts";
        features.whiteouts &= argument != "no-whiteouts";
    }
    return features;
}

} // namespace

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() < 2) {
        std::fputs(usage, stderr);
        return 2;
    }
    const std::string verb = arguments.front();
    arguments.erase(arguments.begin());
    try {
        if (verb == "show")
            shale::print_model(arguments);
        else if (verb == "tree" && arguments.size() == 1)
            shale::print_tree(arguments[0]);
        else if (verb == "layers" && arguments.size() >= 3)
            shale::make_random_layers(number(arguments[0]), number(arguments[1]), arguments[2],
                                      features(arguments));
        else if (verb == "change" && arguments.size() == 3)
            shale::make_random_changes(number(arguments[0]), number(arguments[1]), arguments[2]);
        else {
            std::fputs(usage, stderr);
            return 2;
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "shale-model: %s\n", error.what());
        return 1;
    }
    return 0;
}
