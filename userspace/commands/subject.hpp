// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "commands/globals.hpp"
#include "mounting/layer_paths.hpp"
#include "verify/subject.hpp"

namespace shale {

/// The live mount that @p target is or lies in, of Shale or of overlayfs, ready to be judged: @p target is a directory,
/// or else the name of a Shale mount. Throws Error.
verify::Subject subject_of(const std::string& target, const Globals& globals);

/// What such a mount stands on.
struct LiveLayers {
    mounting::LayerPaths paths;
    ondisk::Prefix prefix;
};
LiveLayers live_layers_of(const std::string& target, const Globals& globals);

} // namespace shale
