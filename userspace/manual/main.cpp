// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale-manual: prints the manual page or the completion of `shale`. Part of the build, not
// installed.
#include <fstream>
#include <iostream>
#include <string>

#include "commands/app.hpp"
#include "manual/completion.hpp"
#include "manual/page.hpp"

namespace {

/// What does not come from the command line itself stands in a file.
bool print_file(const char* path) {
    std::ifstream file(path);
    std::cout << file.rdbuf();
    std::cout.flush();
    return file && std::cout;
}

} // namespace

int main(int argc, char** argv) {
    const std::string what = argc == 3 ? argv[1] : "";
    shale::Globals globals;
    const auto app = shale::make_app(globals);
    if (what == "page") {
        shale::manual::print_page(*app, std::cout);
    } else if (what == "completion") {
        shale::manual::print_completion(*app, std::cout);
    } else {
        std::cerr << "usage: shale-manual page|completion REST\n";
        return 2;
    }
    return print_file(argv[2]) ? 0 : 1;
}
