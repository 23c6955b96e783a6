// SPDX-License-Identifier: GPL-2.0-or-later
#include "programs.hpp"

#include <fcntl.h>
#include <sys/wait.h>

#include "base/error.hpp"
#include "base/program.hpp"
#include "sample_files.hpp"

namespace shale::bench {

void run_quietly(const std::vector<std::string>& words, const std::vector<std::string>& environment) {
    const pid_t child = start_program(words, open_file("/dev/null", O_WRONLY).get(), &environment);
    int status = 0;
    require(waitpid(child, &status, 0) == child, "waitpid");
    if (status != 0)
        throw Error(words[0], "it ended with status " + std::to_string(WEXITSTATUS(status)));
}

} // namespace shale::bench
