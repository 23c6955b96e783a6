// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <span>

namespace shale::oci {

/// A stream that is pulled: the stages of an import (blob, inflation, digest) each pull from the
/// one before.
class ByteSource {
public:
    virtual ~ByteSource() = default;

    /// The next bytes, valid until the next call; empty at the end and ever after. Throws Error on
    /// damaged input, Cancelled when asked to stop.
    virtual std::span<const std::byte> next() = 0;

    /// Reads and forgets the rest.
    void drain() {
        while (!next().empty()) {
        }
    }
};

} // namespace shale::oci
