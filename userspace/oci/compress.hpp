// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include "oci/archive_stream.hpp"

namespace shale::oci {

enum class Compression { gzip, zstd };

/// What a layer's media type ends in: "gzip" or "zstd".
const char* name_of(Compression compression);

/// Compresses what is written to it. The same input gives the same output, with one version of zlib or
/// libzstd.
class Compressor {
public:
    virtual ~Compressor() = default;

    virtual void write(std::span<const std::byte> bytes) = 0;
    /// Writes what is left. Call once, last.
    virtual void finish() = 0;
};

std::unique_ptr<Compressor> make_compressor(Compression compression, Sink sink);

} // namespace shale::oci
