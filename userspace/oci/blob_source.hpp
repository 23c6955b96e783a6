// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/progress.hpp"
#include "oci/blob_directory.hpp"
#include "oci/byte_source.hpp"

namespace shale::oci {

/// The bytes of a blob as they lie in a directory of blobs, digested on the way, and copied, if
/// that is wanted: what was digested and what the copy holds are the same bytes.
class BlobSource : public ByteSource {
public:
    /// @p progress outlives the source.
    BlobSource(const BlobDirectory& blobs, const Descriptor& descriptor, Progress& progress);

    /// From here on, whatever is read is also written to the empty file @p target, which is open
    /// for reading and writing. Where the file system can share blocks, they are shared at once
    /// and it is the copy that is read. To be called before next().
    void copy_to(UniqueFd target, const std::string& shown);

    std::span<const std::byte> next() override;

    /// Reads what is left and throws Error unless the whole has the digest of the descriptor.
    void verify();

    const std::string& shown() const { return shown_; }

private:
    UniqueFd fd_;
    Digest expected_;
    std::string shown_;
    std::string way_out_;
    Progress& progress_;
    Sha256 sha_;
    Digest found_; ///< empty until all is read
    std::vector<std::byte> buffer_;
    uint64_t offset_ = 0;
    UniqueFd copy_; ///< where to write what was read
    std::string copy_shown_;
};

} // namespace shale::oci
