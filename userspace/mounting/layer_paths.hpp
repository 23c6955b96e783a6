// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mounting/mountinfo.hpp"

namespace shale::mounting {

/// The layers of a mount of overlayfs or Shale.
struct LayerPaths {
    std::optional<std::string> upper;
    std::optional<std::string> work;
    std::vector<std::string> lowers; ///< top-most first
    std::size_t data_lowers = 0;     ///< so many of them, the last ones, are of data only
};

/// What the options in the mount table say: the paths as they were given, which may be relative to somewhere.
LayerPaths layer_paths(const MountPoint& mount);

/// The value of the option @p name of the file system; nothing if it is not there.
std::optional<std::string> option_value(const MountPoint& mount, const std::string& name);

} // namespace shale::mounting
