// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "base/digest.hpp"
#include "oci/json.hpp"
#include "oci/platform.hpp"

namespace shale::oci {

/// How one object of an image names another: what it is, its digest and its size.
struct Descriptor {
    std::string media_type;
    Digest digest;
    uint64_t size = 0;
    std::optional<Platform> platform;
    std::string tag;  ///< annotation org.opencontainers.image.ref.name, or empty
    std::string name; ///< annotation io.containerd.image.name, as docker would show it, or empty

    /// Throws Error naming the file and the key where something is missing or malformed.
    static Descriptor parse(const JsonFile& json);

    /// What to call the image: its name if it has one, else its tag.
    const std::string& called() const { return name.empty() ? tag : name; }
    bool is_index() const;
    bool is_manifest() const;
};

} // namespace shale::oci
