// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/tar_writer.hpp"

#include <cerrno>
#include <utility>

#include <archive.h>
#include <archive_entry.h>

#include "base/error.hpp"

namespace shale::oci {

void TarWriter::Free::operator()(archive* handle) const {
    // Otherwise freeing would write the end of an archive that is none.
    archive_write_fail(handle);
    archive_write_free(handle);
}

TarWriter::TarWriter(Sink sink, std::string shown)
    : sink_(std::move(sink)), shown_(std::move(shown)), handle_(archive_write_new()) {
    if (!handle_)
        throw Error(shown_, "libarchive has no memory");
    // ustar, and pax headers for what does not fit into it, such as 8 GiB.
    archive_write_set_format_pax_restricted(handle_.get());
    archive_write_add_filter_none(handle_.get());
    archive_write_set_bytes_per_block(handle_.get(), 256 * 1024);
    archive_write_set_bytes_in_last_block(handle_.get(), 512);
    check(archive_write_open(handle_.get(), this, nullptr, push, nullptr));
}

TarWriter::~TarWriter() = default;

ssize_t TarWriter::push(archive* handle, void* self, const void* bytes, size_t size) {
    TarWriter& writer = *static_cast<TarWriter*>(self);
    try {
        writer.sink_({static_cast<const std::byte*>(bytes), size});
        return static_cast<ssize_t>(size);
    } catch (...) {
        // It must not fly through libarchive; check() throws it again.
        writer.failure_ = std::current_exception();
        archive_set_error(handle, EIO, "output failed");
        return -1;
    }
}

void TarWriter::check(int result) {
    if (failure_)
        std::rethrow_exception(std::exchange(failure_, nullptr));
    if (result < ARCHIVE_OK) {
        const char* reason = archive_error_string(handle_.get());
        throw Error(shown_, reason ? reason : "cannot be written");
    }
}

void TarWriter::header(const std::string& name, unsigned type, unsigned mode, uint64_t size) {
    if (left_ > 0)
        throw Error(shown_, "a file in it became shorter while it was read");
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                              archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), type);
    archive_entry_set_perm(entry.get(), mode);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    archive_entry_set_mtime(entry.get(), 0, 0);
    check(archive_write_header(handle_.get(), entry.get()));
    left_ = size;
}

void TarWriter::directory(const std::string& name) {
    header(name, AE_IFDIR, 0755, 0);
}

void TarWriter::file(const std::string& name, uint64_t size) {
    header(name, AE_IFREG, 0644, size);
}

void TarWriter::content(std::span<const std::byte> bytes) {
    if (bytes.size() > left_)
        throw Error(shown_, "a file in it became longer while it was read");
    left_ -= bytes.size();
    if (archive_write_data(handle_.get(), bytes.data(), bytes.size()) < 0)
        check(ARCHIVE_FATAL);
}

void TarWriter::finish() {
    if (left_ > 0)
        throw Error(shown_, "a file in it became shorter while it was read");
    check(archive_write_close(handle_.get()));
}

} // namespace shale::oci
