// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command `shale`: what is done with a command line, and what an error becomes.
#include <csignal>
#include <exception>
#include <iostream>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor_limit.hpp"
#include "commands/app.hpp"

namespace {

enum Status { fine = 0, failed = 1 };

/// What callers may have left in a state that nobody here expects: a closed standard descriptor, which a file
/// of ours would become, and children that vanish before they are waited for. What stands in for standard input
/// can't be read, nor the others written to: they fail as closed ones do.
void put_in_order() {
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (fcntl(standard, F_GETFD) < 0)
            open("/dev/null", standard == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    signal(SIGCHLD, SIG_DFL);
}

void flush_output() {
    std::cout.flush();
    if (!std::cout)
        throw std::runtime_error("standard output: cannot be written to");
}

} // namespace

int main(int argc, char** argv) {
    put_in_order();
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
