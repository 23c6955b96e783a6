// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/digest_source.hpp"

namespace shale::oci {

std::span<const std::byte> DigestSource::next() {
    const std::span<const std::byte> bytes = input_.next();
    sha_.update(bytes.data(), bytes.size());
    size_ += bytes.size();
    return bytes;
}

Digest DigestSource::finish() {
    drain();
    return sha_.finish();
}

} // namespace shale::oci
