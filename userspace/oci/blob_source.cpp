// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/blob_source.hpp"

#include <fcntl.h>

#include "base/at.hpp"
#include "base/copy_file.hpp"
#include "base/error.hpp"

namespace shale::oci {

namespace {
/// Small enough to stay in the processor's cache between read, digest and inflation.
constexpr size_t chunk = 256 * 1024;
} // namespace

BlobSource::BlobSource(const BlobDirectory& blobs, const Descriptor& descriptor, Progress& progress)
    : fd_(blobs.open(descriptor)), expected_(descriptor.digest),
      shown_(blobs.path(descriptor.digest)), way_out_(blobs.way_out()), progress_(progress) {
    posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

void BlobSource::copy_to(UniqueFd target, const std::string& shown) {
    if (clone_file(fd_.get(), target.get())) {
        fd_ = std::move(target);
        return;
    }
    // Not copy_file_range(): all of it passes through here anyway, to be digested.
    copy_ = std::move(target);
    copy_shown_ = shown;
}

std::span<const std::byte> BlobSource::next() {
    if (progress_.cancelled())
        throw Cancelled(shown_);
    buffer_.resize(chunk); // not before, as an export opens all of an image's blobs
    const size_t got = read_some(fd_.get(), buffer_.data(), buffer_.size(), shown_);
    sha_.update(buffer_.data(), got);
    if (copy_)
        write_all_at(copy_.get(), buffer_.data(), got, offset_, copy_shown_);
    offset_ += got;
    progress_.advance(got);
    return {buffer_.data(), got};
}

void BlobSource::verify() {
    if (found_.empty()) {
        drain();
        found_ = sha_.finish();
    }
    if (found_ != expected_)
        throw Error(shown_, "wrong digest: content is " + found_.text(), way_out_);
}

} // namespace shale::oci
