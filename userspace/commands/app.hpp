// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>

#include "commands/globals.hpp"

namespace shale {

/// The command line of `shale`: all that can be typed, and the help about it. @p globals must
/// live as long as it.
std::unique_ptr<CLI::App> make_app(Globals& globals);

/// The exit status for a command line that is not understood.
int usage_status(const CLI::App& app);

} // namespace shale
