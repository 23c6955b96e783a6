// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "exercise/shrink.hpp"

namespace shale::exercise {

/// The commands that make @p operations, with the shell functions that stand for calls without a command.
std::string commands_of(const std::vector<Operation>& operations);

/// A shell script that makes all of a case in a new directory, and shows at its end what differs. @p type is that of
/// the mount. Without lower layers it changes the directory that it is given as its argument, in a mount of somebody's.
std::string script_of(const Found& found, const std::string& type);

} // namespace shale::exercise
