// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/progress.hpp"
#include "oci/byte_source.hpp"
#include "oci/layout.hpp"

namespace shale::oci {

/// The bytes of a blob as they lie in the layout, digested on the way.
class BlobSource : public ByteSource {
public:
    /// @p progress outlives the source.
    BlobSource(const Layout& layout, const Descriptor& descriptor, Progress& progress);

    std::span<const std::byte> next() override;

    /// Reads what is left and throws Error unless the whole has the digest of the descriptor.
    void verify();

    const std::string& shown() const { return shown_; }

private:
    UniqueFd fd_;
    Digest expected_;
    std::string shown_;
    Progress& progress_;
    Sha256 sha_;
    Digest found_; ///< empty until all is read
    std::vector<std::byte> buffer_;
};

} // namespace shale::oci
