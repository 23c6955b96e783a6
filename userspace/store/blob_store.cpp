// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/blob_store.hpp"

#include <fcntl.h>

#include "base/at.hpp"

namespace shale {

BlobStore::BlobStore(int root, const std::string& shown)
    : fd_(open_at(root, "blobs/sha256", O_RDONLY | O_DIRECTORY)),
      directory_(root, shown, "remove it, if it is there, and import the image again") {}

bool BlobStore::has(const oci::Descriptor& blob) const {
    return size_of(blob.digest) == blob.size;
}

std::optional<uint64_t> BlobStore::size_of(const Digest& digest) const {
    const std::optional<struct stat> st = stat_at(fd_.get(), digest.hex());
    if (!st || !S_ISREG(st->st_mode))
        return std::nullopt;
    return static_cast<uint64_t>(st->st_size);
}

} // namespace shale
