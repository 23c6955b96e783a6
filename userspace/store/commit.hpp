// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "oci/compress.hpp"

namespace shale {

/// Keeps a writable layer that is mounted from changing, for as long as it lives and lasts.
class Hold {
public:
    virtual ~Hold();
    /// Whether nothing has changed since it began. Throws Error.
    virtual bool lasts() = 0;
};

/// How a store reads a writable layer that may be mounted.
struct UpperAccess {
    /// Keeps the upper at this absolute path from changing; null where it is not mounted. Throws Error where
    /// it is mounted and can't be kept.
    std::function<std::unique_ptr<Hold>(const std::string& upper)> hold;
    /// Whether it is mounted, as far as can be told.
    std::function<bool(const std::string& upper)> is_mounted;
};

struct CommitOptions {
    std::string image; ///< name of the new one
    std::string author;
    std::string message;
    oci::Compression compression = oci::Compression::gzip;
    std::optional<int64_t> epoch; ///< SOURCE_DATE_EPOCH: nothing in the image is later
};

struct MergeOptions {
    std::string image; ///< whose layers
    size_t from = 1;   ///< number of the lowest of them; 1 is the bottom
    size_t to = 0;     ///< of the top-most; 0: that of the image
    std::string name;  ///< of the new image
    oci::Compression compression = oci::Compression::gzip;
};

} // namespace shale
