// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

namespace shale::mounting {

/// What mount(8) asks of its helper for a file system type:
///
///   mount.TYPE SOURCE DIR [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t TYPE[.SUBTYPE]]
struct HelperRequest {
    std::string source;
    std::string target;
    std::string type = "shale";
    std::string options;
    std::string name_space; ///< where to mount: path of a mount namespace, or a process's number
    bool fake = false;      ///< do everything but mount
    bool verbose = false;
    bool help = false; ///< nothing but to be told how it is used
};

inline constexpr const char* helper_usage =
    "usage: mount.shale SOURCE DIR [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t TYPE]\n"
    "mount(8) calls it for file systems of type shale; mount.shale(8) says more";

/// The command line makes no sense.
class Misuse : public Error {
    using Error::Error;
};

/// @p arguments are those after the program's name. Throws Misuse.
HelperRequest parse_helper_arguments(std::vector<std::string> arguments);

} // namespace shale::mounting
