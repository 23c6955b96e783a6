// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/blob_source.hpp"

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale::oci {

namespace {
/// Small enough to stay in the processor's cache between read, digest and inflation.
constexpr size_t chunk = 256 * 1024;
} // namespace

BlobSource::BlobSource(const Layout& layout, const Descriptor& descriptor, Progress& progress)
    : fd_(layout.open_blob(descriptor)), expected_(descriptor.digest),
      shown_(layout.blob_path(descriptor.digest)), progress_(progress), buffer_(chunk) {
    posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

std::span<const std::byte> BlobSource::next() {
    if (progress_.cancelled())
        throw Cancelled(shown_);
    const size_t got = read_some(fd_.get(), buffer_.data(), buffer_.size(), shown_);
    sha_.update(buffer_.data(), got);
    progress_.advance(got);
    return {buffer_.data(), got};
}

void BlobSource::verify() {
    if (found_.empty()) {
        drain();
        found_ = sha_.finish();
    }
    if (found_ != expected_)
        throw Error(shown_, "wrong digest: content is " + found_.text(),
                    "the image is damaged: copy it again");
}

} // namespace shale::oci
