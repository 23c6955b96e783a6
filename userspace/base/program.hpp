// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/progress.hpp"

namespace shale {

/// Starts the program @p words[0], found in PATH, which the caller waits for. Standard input is empty, standard output goes
/// to @p output, an open file. @p environment holds "NAME=VALUE"; without it the program has the caller's. Throws Error with
/// the code ENOENT where there is no such program.
pid_t start_program(const std::vector<std::string>& words, int output,
                    const std::vector<std::string>* environment = nullptr);

/// Runs the program @p words[0], found in PATH, to its end, and returns its exit status, or 128 and the number of the
/// signal that ended it. Standard input is empty, standard output goes to @p output, an open file. Ends it, and throws
/// Cancelled, when @p progress says so. Throws Error with the code ENOENT where there is no such program.
int run_program(const std::vector<std::string>& words, int output, Progress& progress);

} // namespace shale
