// SPDX-License-Identifier: LGPL-2.1-or-later
#include "verify/content.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include <unistd.h>

#include "base/error.hpp"

namespace shale::verify {

namespace {

constexpr size_t chunk = 256 * 1024;

/// Reads @p size bytes from @p offset on, or as many as there are. It asks no further than that: most files are
/// small, and a read that only tells their end would be one of few calls.
size_t read_chunk(int fd, std::vector<char>& buffer, size_t size, uint64_t offset, const std::string& path) {
    size_t filled = 0;
    while (filled < size) {
        const ssize_t got = pread(fd, buffer.data() + filled, size - filled, static_cast<off_t>(offset + filled));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw Error::from_errno(path, errno);
        if (got == 0)
            break;
        filled += static_cast<size_t>(got);
    }
    return filled;
}

} // namespace

Comparison::Comparison(const std::atomic<bool>& stop) : stop_(stop), shown_(chunk), real_(chunk) {}

std::optional<uint64_t> Comparison::first_difference(uint64_t size, int shown, const std::string& shown_path, int real,
                                                     const std::string& real_path) {
    for (uint64_t offset = 0; offset < size && !stop_; offset += chunk) {
        const size_t wanted = static_cast<size_t>(std::min<uint64_t>(chunk, size - offset));
        const size_t got = read_chunk(shown, shown_, wanted, offset, shown_path);
        const size_t real_got = read_chunk(real, real_, wanted, offset, real_path);
        bytes_ += got;
        const size_t common = std::min(got, real_got);
        if (got == real_got && std::memcmp(shown_.data(), real_.data(), common) == 0)
            continue;
        const auto end = shown_.begin() + static_cast<std::ptrdiff_t>(common);
        return offset + static_cast<uint64_t>(std::mismatch(shown_.begin(), end, real_.begin()).first - shown_.begin());
    }
    return std::nullopt;
}

uint64_t Comparison::take_bytes() {
    return std::exchange(bytes_, 0);
}

} // namespace shale::verify
