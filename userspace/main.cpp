// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command `shale`: what is done with a command line, and what an error becomes.
#include <exception>
#include <iostream>
#include <stdexcept>

#include "base/descriptor_limit.hpp"
#include "commands/app.hpp"

namespace {

enum Status { fine = 0, failed = 1 };

void flush_output() {
    std::cout.flush();
    if (!std::cout)
        throw std::runtime_error("standard output: cannot be written to");
}

} // namespace

int main(int argc, char** argv) {
    shale::Globals globals;
    const auto app = shale::make_app(globals);

    shale::raise_descriptor_limit();
    try {
        int status = fine;
        try {
            app->parse(argc, argv);
        } catch (const shale::Exit& exit) {
            status = exit.status;
        }
        flush_output();
        return status;
    } catch (const CLI::ParseError& error) {
        return app->exit(error) == 0 ? fine : shale::usage_status(*app);
    } catch (const std::exception& error) {
        std::cerr << "shale: " << error.what() << "\n";
        return failed;
    }
}
