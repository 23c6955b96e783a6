// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>

#include "oci/byte_source.hpp"

namespace shale::oci {

/// The tar inside a layer blob: gunzipped, unpacked with zstd, or as it is.
///
/// The first bytes decide, because tools disagree with the media types they write; but where
/// @p media_type promises compression and the bytes show none, that is an Error. Truncated and
/// corrupt data are Errors that name @p shown. @p input outlives the result.
std::unique_ptr<ByteSource> decompress(ByteSource& input, const std::string& media_type,
                                       const std::string& shown);

/// What data that begins with @p begin, four bytes or more, is compressed by: "gzip", "zstd", or nothing
/// that is known.
std::string compression_of(std::span<const std::byte> begin);

} // namespace shale::oci
