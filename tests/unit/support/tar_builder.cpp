// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/tar_builder.hpp"

#include <stdexcept>

namespace shale::test {

namespace {

ssize_t append(archive*, void* bytes, const void* data, size_t size) {
    static_cast<std::string*>(bytes)->append(static_cast<const char*>(data), size);
    return static_cast<ssize_t>(size);
}

} // namespace

TarBuilder::TarBuilder(Format format) : handle_(archive_write_new()) {
    if (format == Format::ustar)
        archive_write_set_format_ustar(handle_);
    else if (format == Format::gnu)
        archive_write_set_format_gnutar(handle_);
    else
        archive_write_set_format_pax(handle_);
    archive_write_add_filter_none(handle_);
    archive_write_set_options(handle_, "hdrcharset=BINARY");
    archive_write_open(handle_, &bytes_, nullptr, append, nullptr);
}

TarBuilder::~TarBuilder() {
    archive_write_free(handle_);
}

TarBuilder& TarBuilder::add(const std::string& path, mode_t mode, const std::string& content,
                            const Change& change) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                              archive_entry_free);
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_set_mode(entry.get(), mode);
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
    archive_entry_set_mtime(entry.get(), 1000, 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    if (change)
        change(entry.get());
    if (archive_write_header(handle_, entry.get()) < ARCHIVE_WARN ||
        archive_write_data(handle_, content.data(), content.size()) < 0)
        throw std::runtime_error(archive_error_string(handle_));
    return *this;
}

TarBuilder& TarBuilder::directory(const std::string& path, mode_t mode, Change change) {
    return add(path, S_IFDIR | mode, "", change);
}

TarBuilder& TarBuilder::file(const std::string& path, const std::string& content, mode_t mode,
                             Change change) {
    return add(path, S_IFREG | mode, content, change);
}

TarBuilder& TarBuilder::symlink(const std::string& path, const std::string& target, Change change) {
    return add(path, S_IFLNK | 0777, "", [&](archive_entry* entry) {
        archive_entry_set_symlink(entry, target.c_str());
        if (change)
            change(entry);
    });
}

TarBuilder& TarBuilder::hard_link(const std::string& path, const std::string& target) {
    return add(path, S_IFREG | 0644, "",
               [&](archive_entry* entry) { archive_entry_set_hardlink(entry, target.c_str()); });
}

TarBuilder& TarBuilder::device(const std::string& path, mode_t type, unsigned major,
                               unsigned minor) {
    return add(path, type | 0660, "", [&](archive_entry* entry) {
        archive_entry_set_rdevmajor(entry, major);
        archive_entry_set_rdevminor(entry, minor);
    });
}

TarBuilder& TarBuilder::fifo(const std::string& path) {
    return add(path, S_IFIFO | 0600, "", {});
}

std::string TarBuilder::finish() {
    archive_write_close(handle_);
    return bytes_;
}

TarBuilder::Change with_xattr(const std::string& name, const std::string& value) {
    return [=](archive_entry* entry) {
        archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
    };
}

TarBuilder::Change with_owner(uid_t uid, gid_t gid) {
    return [=](archive_entry* entry) {
        archive_entry_set_uid(entry, uid);
        archive_entry_set_gid(entry, gid);
    };
}

TarBuilder::Change with_time(time_t seconds, long nanoseconds) {
    return [=](archive_entry* entry) { archive_entry_set_mtime(entry, seconds, nanoseconds); };
}

} // namespace shale::test
