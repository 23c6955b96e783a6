// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/file_extents.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale::oci {

namespace {

constexpr uint64_t block = 64 * 1024;
constexpr uint64_t worth = 16 * 1024 * 1024;

bool is_zero(const std::vector<char>& buffer, size_t size) {
    return size == 0 || (buffer[0] == 0 && std::memcmp(buffer.data(), buffer.data() + 1, size - 1) == 0);
}

size_t read_at(int fd, std::vector<char>& buffer, uint64_t offset, const std::string& shown) {
    size_t have = 0;
    while (have < buffer.size()) {
        const ssize_t got = pread(fd, buffer.data() + have, buffer.size() - have,
                                  static_cast<off_t>(offset + have));
        if (got < 0 && errno != EINTR)
            throw Error::from_errno(shown, errno);
        if (got == 0)
            break;
        have += got > 0 ? static_cast<size_t>(got) : 0;
    }
    return have;
}

/// The first offset from @p offset on, a whole block's, at which the file system has data; @p size if none.
uint64_t next_data(int fd, uint64_t offset, uint64_t size) {
    const off_t found = lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
    if (found < 0)
        return errno == ENXIO ? size : offset;
    return std::max(offset, static_cast<uint64_t>(found) / block * block);
}

} // namespace

std::vector<Extent> file_extents(int fd, uint64_t size, const std::string& shown) {
    const std::vector<Extent> whole = {{0, size}};
    if (size < worth)
        return whole;
    std::vector<Extent> extents;
    std::vector<char> buffer(block);
    uint64_t zeros = size;
    for (uint64_t offset = next_data(fd, 0, size); offset < size; offset = next_data(fd, offset, size)) {
        const size_t got = read_at(fd, buffer, offset, shown);
        if (got == 0)
            break; // it has become shorter: whoever reads the data will say so
        if (!is_zero(buffer, got)) {
            if (!extents.empty() && extents.back().offset + extents.back().size == offset)
                extents.back().size += got;
            else
                extents.push_back({offset, got});
            zeros -= std::min<uint64_t>(got, zeros);
        }
        offset += got;
    }
    return zeros < worth ? whole : extents;
}

} // namespace shale::oci
