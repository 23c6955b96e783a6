// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

namespace shale::bench {

/// Runs a program that has nothing to read and whose output is lost; throws, naming it, if it fails.
/// @p environment is all that it has of that.
void run_quietly(const std::vector<std::string>& words, const std::vector<std::string>& environment = {});

} // namespace shale::bench
