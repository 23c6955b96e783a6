// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

#include "base/digest.hpp"
#include "oci/byte_source.hpp"

namespace shale::oci {

/// Passes on another source and digests it.
class DigestSource : public ByteSource {
public:
    /// @p input outlives the source.
    explicit DigestSource(ByteSource& input) : input_(input) {}

    std::span<const std::byte> next() override;

    /// Digest of all the input, whose rest it reads. Call once.
    Digest finish();
    /// Bytes so far.
    uint64_t size() const { return size_; }

private:
    ByteSource& input_;
    Sha256 sha_;
    uint64_t size_ = 0;
};

} // namespace shale::oci
