// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ctime>
#include <string>

#include "oci/manifest.hpp"

namespace shale::oci {

/// What makes a new image of an old one: a layer on top, and what is told about it.
struct Step {
    LayerDescriptor layer;
    std::time_t created = 0;
    std::string created_by;
    std::string author;  ///< may be empty, like the next one
    std::string comment;
};

/// The image that has what @p parent has, and @p step on top of it: an OCI image with config and manifest
/// of its own. Of @p parent, text, config and layers count. Throws Error naming @p shown, where the config
/// of that makes no sense.
Manifest derive(const Manifest& parent, const Step& step, const std::string& shown);

/// One layer in place of several of an image.
struct MergedLayer {
    size_t first = 0; ///< index of the lowest of them, from 0
    size_t last = 0;  ///< of the top-most
    LayerDescriptor layer;
    std::string created_by;
    std::string comment;
};

/// The image that shows what @p parent shows, with @p merged in place of some of its layers. The steps of these stay
/// in its history, without layers, and behind them stands a step for the merged one. Nothing in it tells when that
/// was. Throws Error as derive().
Manifest merge(const Manifest& parent, const MergedLayer& merged, const std::string& shown);

/// Throws Error where @p text, which is @p what of a new image, can't stand in its config.
void check_text(const std::string& what, const std::string& text);

} // namespace shale::oci
