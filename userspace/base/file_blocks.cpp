// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/file_blocks.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "base/error.hpp"

namespace shale {

bool is_zero(const char* bytes, size_t size) {
    return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0;
}

size_t read_block(int fd, char* buffer, uint64_t offset, const std::string& shown) {
    size_t have = 0;
    while (have < file_block) {
        const ssize_t got = pread(fd, buffer + have, file_block - have, static_cast<off_t>(offset + have));
        if (got < 0 && errno != EINTR)
            throw Error::from_errno(shown, errno);
        if (got == 0)
            break;
        have += got > 0 ? static_cast<size_t>(got) : 0;
    }
    return have;
}

uint64_t next_data(int fd, uint64_t offset, uint64_t size) {
    const off_t found = lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
    if (found < 0)
        return errno == ENXIO ? size : offset;
    return std::max(offset, static_cast<uint64_t>(found) / file_block * file_block);
}

} // namespace shale
