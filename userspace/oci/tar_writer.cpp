// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/tar_writer.hpp"

#include <memory>
#include <utility>

#include <archive.h>
#include <archive_entry.h>

#include "base/error.hpp"

namespace shale::oci {

TarWriter::TarWriter(Sink sink, std::string shown) : archive_(std::move(sink), std::move(shown)) {
    // ustar, and pax headers for what does not fit into it, such as 8 GiB.
    archive_write_set_format_pax_restricted(archive_.get());
    archive_.open();
}

void TarWriter::header(const std::string& name, unsigned type, unsigned mode, uint64_t size) {
    if (left_ > 0)
        throw Error(archive_.shown(), "a file in it became shorter while it was read");
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                              archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), type);
    archive_entry_set_perm(entry.get(), mode);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_.check(archive_write_header(archive_.get(), entry.get()));
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
        throw Error(archive_.shown(), "a file in it became longer while it was read");
    left_ -= bytes.size();
    archive_.check(archive_write_data(archive_.get(), bytes.data(), bytes.size()));
}

void TarWriter::finish() {
    if (left_ > 0)
        throw Error(archive_.shown(), "a file in it became shorter while it was read");
    archive_.close();
}

} // namespace shale::oci
