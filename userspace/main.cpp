// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command `shale`: what is done with a command line, and what an error becomes.
#include <exception>
#include <iostream>
#include <stdexcept>

#include "base/descriptor_limit.hpp"
#include "commands/app.hpp"

namespace {

enum Status { fine = 0, failed = 1, misused = 2 };

} // namespace

int main(int argc, char** argv) {
    shale::Globals globals;
    const auto app = shale::make_app(globals);

    shale::raise_descriptor_limit();
    try {
        app->parse(argc, argv);
        std::cout.flush();
        if (!std::cout)
            throw std::runtime_error("standard output: cannot be written to");
        return fine;
    } catch (const CLI::ParseError& error) {
        return app->exit(error) == 0 ? fine : misused;
    } catch (const std::exception& error) {
        std::cerr << "shale: " << error.what() << "\n";
        return failed;
    }
}
