// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/blob_directory.hpp"

#include <cerrno>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale::oci {

std::string blob_name(const Digest& digest) {
    return "blobs/sha256/" + digest.hex();
}

std::string read_whole(int fd, uint64_t size, const std::string& shown) {
    std::string text(size, '\0');
    size_t have = 0;
    while (have < size) {
        const size_t got = read_some(fd, text.data() + have, size - have, shown);
        if (got == 0)
            break;
        have += got;
    }
    text.resize(have);
    return text;
}

BlobDirectory::BlobDirectory(int directory, std::string shown, std::string way_out,
                             std::map<Digest, std::string> names)
    : directory_(directory), shown_(std::move(shown)), way_out_(std::move(way_out)),
      names_(std::move(names)) {}

std::string BlobDirectory::path(const Digest& digest) const {
    const auto known = names_.find(digest);
    return shown_ + "/" + (known == names_.end() ? blob_name(digest) : known->second);
}

UniqueFd BlobDirectory::open(const Descriptor& descriptor) const {
    const std::string shown = path(descriptor.digest);
    // Blobs may be links into a shared pool, so links are followed: they can at worst lead to a
    // file whose digest is wrong. A fifo must not hang us.
    UniqueFd fd(openat(directory_, blob_name(descriptor.digest).c_str(),
                       O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!fd && errno == ENOENT)
        throw Error(shown, "blob is missing", way_out_);
    if (!fd)
        throw Error::from_errno(shown, errno);
    const struct stat st = stat_of(fd.get(), shown);
    if (!S_ISREG(st.st_mode))
        throw Error(shown, "blob is not a regular file", way_out_);
    const uint64_t size = static_cast<uint64_t>(st.st_size);
    if (size != descriptor.size)
        throw Error(
            shown,
            std::string(size < descriptor.size ? "blob is truncated: " : "blob is too long: ") +
                std::to_string(size) + " bytes where the manifest says " +
                std::to_string(descriptor.size),
            way_out_);
    return fd;
}

std::string BlobDirectory::read(const Descriptor& descriptor) const {
    const std::string shown = path(descriptor.digest);
    if (descriptor.size > small_file_limit)
        throw Error(shown, "larger than 4 MiB, too large for a manifest or config");
    const UniqueFd fd = open(descriptor);
    std::string text = read_whole(fd.get(), descriptor.size, shown);
    if (const Digest found = Digest::of(text); found != descriptor.digest)
        throw Error(shown, "wrong digest: content is " + found.text(), way_out_);
    return text;
}

} // namespace shale::oci
