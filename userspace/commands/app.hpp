// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>

#include "commands/globals.hpp"

namespace shale {

/// The command line of `shale`: all that can be typed, and the help about it. @p globals must
/// live as long as it.
std::unique_ptr<CLI::App> make_app(Globals& globals);

} // namespace shale
