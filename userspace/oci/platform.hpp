// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace shale::oci {

/// What a manifest was built for, in the words of OCI (which are Go's): "linux", "amd64".
struct Platform {
    std::string os;
    std::string architecture;

    /// The machine this runs on.
    static Platform host();
    /// "linux/amd64"
    std::string text() const { return os + "/" + architecture; }
    bool operator==(const Platform&) const = default;
};

} // namespace shale::oci
