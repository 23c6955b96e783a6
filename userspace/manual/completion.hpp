// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <ostream>

#include <CLI/CLI.hpp>

namespace shale::manual {

/// Prints the command line of @p app as functions of bash, which completer.bash calls.
void print_completion(const CLI::App& app, std::ostream& out);

} // namespace shale::manual
