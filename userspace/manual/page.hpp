// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <ostream>

#include <CLI/CLI.hpp>

namespace shale::manual {

/// Prints the manual page of @p app up to its last command, in roff.
void print_page(const CLI::App& app, std::ostream& out);

} // namespace shale::manual
