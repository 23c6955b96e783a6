// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/file_extents.hpp"

#include <algorithm>

#include "base/file_blocks.hpp"

namespace shale::oci {

namespace {

constexpr uint64_t worth = 16 * 1024 * 1024;

} // namespace

std::vector<Extent> file_extents(int fd, uint64_t size, const std::string& shown) {
    const std::vector<Extent> whole = {{0, size}};
    if (size < worth)
        return whole;
    std::vector<Extent> extents;
    std::vector<char> buffer(file_block);
    uint64_t zeros = size;
    for (uint64_t offset = next_data(fd, 0, size); offset < size; offset = next_data(fd, offset, size)) {
        const size_t got = read_block(fd, buffer.data(), offset, shown);
        if (got == 0)
            break; // it has become shorter: whoever reads the data will say so
        if (!is_zero(buffer.data(), got)) {
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
