// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "base/progress.hpp"

namespace shale {

/// Runs the program @p words[0], found in PATH, to its end, and returns its exit status, or 128 and the number of the
/// signal that ended it. Standard input is empty, standard output goes to @p output, an open file. Ends it, and throws
/// Cancelled, when @p progress says so. Throws Error with the code ENOENT where there is no such program.
int run_program(const std::vector<std::string>& words, int output, Progress& progress);

} // namespace shale
