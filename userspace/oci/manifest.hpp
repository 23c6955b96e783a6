// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "oci/layout.hpp"

namespace shale::oci {

/// One layer of an image: its blob, and the digest of the tar that the blob holds.
struct LayerDescriptor {
    Descriptor blob;
    Digest diff_id;
};

/// One image for one platform, read from a layout with every digest checked but those of the
/// layers.
struct Manifest {
    Descriptor descriptor;  ///< of the manifest itself
    std::string text;       ///< the manifest, JSON, as it came
    std::string tag;        ///< under which it was found; empty if index.json gives none
    Descriptor config_blob; ///< of the config
    std::string config;     ///< JSON, as it came
    std::vector<LayerDescriptor> layers; ///< bottom first
};

/// What the text of a manifest says by itself: descriptors of config and layers, no diff_ids.
/// Throws Error naming @p shown where it makes no sense.
Manifest parse_manifest(const std::string& text, const std::string& shown);

/// Finds the image called @p tag for @p platform; an empty @p tag will do where the layout holds
/// only one. Follows nested indexes. Throws Error naming what is missing, wrong or ambiguous.
Manifest read_manifest(const Layout& layout, const std::string& tag,
                       const Platform& platform = Platform::host());

} // namespace shale::oci
