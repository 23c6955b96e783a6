// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>

#include "base/fd.hpp"
#include "oci/descriptor.hpp"

namespace shale::oci {

/// Blobs by their digests, as blobs/sha256/HEX in a directory: of an image layout, or of a store.
class BlobDirectory {
public:
    /// @p directory holds blobs/, is open, and outlives the object. @p shown is what messages call
    /// it, and @p way_out what they advise where a blob is missing or damaged.
    /// @p names are those of some blobs where they come from, for messages.
    BlobDirectory(int directory, std::string shown, std::string way_out,
                  std::map<Digest, std::string> names = {});

    /// Opens the blob for reading after comparing its size with the descriptor's, which is how
    /// most truncated copies show at once. The digest is the reader's business.
    UniqueFd open(const Descriptor& descriptor) const;
    /// A small blob (manifest, config, index), size and digest checked.
    std::string read(const Descriptor& descriptor) const;
    /// Where the blob lies, for messages.
    std::string path(const Digest& digest) const;
    /// The open directory that holds blobs/.
    int directory() const { return directory_; }
    const std::string& way_out() const { return way_out_; }

private:
    int directory_;
    std::string shown_;
    std::string way_out_;
    std::map<Digest, std::string> names_;
};

/// The name of a blob below the directory that holds blobs/.
std::string blob_name(const Digest& digest);

/// What is left of the open file @p fd, which should have @p size bytes.
std::string read_whole(int fd, uint64_t size, const std::string& shown);

/// Registries refuse manifests above 4 MiB; anything larger is not meant to be held in memory.
constexpr uint64_t small_file_limit = 4 << 20;

} // namespace shale::oci
