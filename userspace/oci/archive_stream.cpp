// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/archive_stream.hpp"

#include <cerrno>
#include <utility>

#include <archive.h>

#include "base/error.hpp"

namespace shale::oci {

void ArchiveStream::Free::operator()(archive* handle) const {
    // Otherwise freeing would write the end of an archive that is none.
    archive_write_fail(handle);
    archive_write_free(handle);
}

ArchiveStream::ArchiveStream(Sink sink, std::string shown)
    : sink_(std::move(sink)), shown_(std::move(shown)), handle_(archive_write_new()) {
    if (!handle_)
        throw Error(shown_, "libarchive has no memory");
}

ArchiveStream::~ArchiveStream() = default;

void ArchiveStream::open() {
    archive_write_add_filter_none(handle_.get());
    archive_write_set_bytes_per_block(handle_.get(), 256 * 1024);
    archive_write_set_bytes_in_last_block(handle_.get(), 512);
    check(archive_write_open(handle_.get(), this, nullptr, push, nullptr));
}

void ArchiveStream::close() {
    check(archive_write_close(handle_.get()));
}

ssize_t ArchiveStream::push(archive* handle, void* self, const void* bytes, size_t size) {
    ArchiveStream& stream = *static_cast<ArchiveStream*>(self);
    try {
        stream.sink_({static_cast<const std::byte*>(bytes), size});
        return static_cast<ssize_t>(size);
    } catch (...) {
        // It must not fly through libarchive; check() throws it again.
        stream.failure_ = std::current_exception();
        archive_set_error(handle, EIO, "output failed");
        return -1;
    }
}

void ArchiveStream::check(ssize_t result) {
    if (failure_)
        std::rethrow_exception(std::exchange(failure_, nullptr));
    if (result < ARCHIVE_OK) {
        const char* reason = archive_error_string(handle_.get());
        throw Error(shown_, reason ? reason : "cannot be written");
    }
}

} // namespace shale::oci
