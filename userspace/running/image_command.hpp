// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace shale::running {

/// What is to be run, and in which surroundings.
struct Command {
    std::vector<std::string> arguments;   ///< the first one is the program
    std::vector<std::string> environment; ///< NAME=VALUE
    std::string directory;                ///< to start in; absolute
    std::string user;                     ///< "", NAME, NUMBER, or either with :GROUP
};

/// What the image's @p config says, with @p arguments, if there are any, in the place of its default ones. Throws
/// Error naming @p shown where it makes no sense, or says nothing to run.
Command command_of_image(const std::string& config, const std::vector<std::string>& arguments,
                         const std::string& shown);

/// Puts NAME=VALUE in the place of what the environment says of NAME.
void set_variable(std::vector<std::string>& environment, const std::string& assignment);
/// Whether it says anything of @p name.
bool has_variable(const std::vector<std::string>& environment, const std::string& name);

} // namespace shale::running
