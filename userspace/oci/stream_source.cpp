// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/stream_source.hpp"

#include "base/stream.hpp"

namespace shale::oci {

namespace {
constexpr size_t chunk = 256 * 1024;
} // namespace

StreamSource::StreamSource(int fd, std::string shown, Progress& progress)
    : fd_(fd), shown_(std::move(shown)), progress_(progress), buffer_(chunk) {}

std::span<const std::byte> StreamSource::next() {
    const size_t got = read_stream(fd_, buffer_.data(), buffer_.size(), shown_, progress_);
    progress_.advance(got);
    return {buffer_.data(), got};
}

} // namespace shale::oci
