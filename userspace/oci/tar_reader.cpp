// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/tar_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/sysmacros.h>

#include "base/error.hpp"
#include "oci/acl.hpp"

namespace shale::oci {

namespace {

/// While it lives, this thread is in the C locale. There libarchive hands out the names of pax
/// archives as the bytes they are; in a UTF-8 locale it would normalise them and so change names.
class CLocale {
public:
    CLocale() : c_(newlocale(LC_ALL_MASK, "C", nullptr)), before_(uselocale(c_)) {}
    ~CLocale() {
        uselocale(before_);
        freelocale(c_);
    }
    CLocale(const CLocale&) = delete;
    CLocale& operator=(const CLocale&) = delete;

private:
    locale_t c_;
    locale_t before_;
};

std::string text_or_empty(const char* text) {
    return text ? text : "";
}

uint32_t checked_id(la_int64_t id, const std::string& thing) {
    // The largest one means "no id" to the kernel.
    if (id < 0 || id >= std::numeric_limits<uint32_t>::max())
        throw Error(thing, "owner " + std::to_string(id) + " is out of range");
    return static_cast<uint32_t>(id);
}

Xattrs xattrs_of(archive_entry* raw) {
    Xattrs xattrs;
    archive_entry_xattr_reset(raw);
    const char* name;
    const void* value;
    size_t size;
    while (archive_entry_xattr_next(raw, &name, &value, &size) == ARCHIVE_OK) {
        // Some archivers write each attribute twice, in the spelling of libarchive and of star.
        const auto same = std::find_if(xattrs.begin(), xattrs.end(),
                                       [&](const auto& known) { return known.first == name; });
        if (same == xattrs.end())
            xattrs.emplace_back(name, std::string(static_cast<const char*>(value), size));
    }
    for (const bool default_acl : {false, true}) {
        std::string acl = posix_acl_xattr(raw, default_acl);
        if (!acl.empty())
            xattrs.emplace_back(default_acl ? "system.posix_acl_default"
                                            : "system.posix_acl_access",
                                std::move(acl));
    }
    return xattrs;
}

} // namespace

void TarReader::Free::operator()(archive* handle) const {
    archive_read_free(handle);
}

TarReader::TarReader(ByteSource& input, std::string shown)
    : input_(input), shown_(std::move(shown)), handle_(archive_read_new()) {
    if (!handle_)
        throw Error(shown_, "libarchive has no memory");
    const CLocale locale;
    archive_read_support_filter_none(handle_.get());
    archive_read_support_format_tar(handle_.get());
    archive_read_support_format_empty(handle_.get());
    if (archive_read_open(handle_.get(), this, nullptr, pull, nullptr) != ARCHIVE_OK)
        fail(shown_);
}

TarReader::~TarReader() = default;

ssize_t TarReader::pull(archive* handle, void* self, const void** buffer) {
    TarReader& reader = *static_cast<TarReader*>(self);
    try {
        const std::span<const std::byte> bytes = reader.input_.next();
        *buffer = bytes.data();
        reader.at_end_ = bytes.empty();
        return static_cast<ssize_t>(bytes.size());
    } catch (...) {
        // It must not fly through libarchive; fail() throws it again.
        reader.input_failure_ = std::current_exception();
        archive_set_error(handle, EIO, "input failed");
        return -1;
    }
}

bool TarReader::next(TarEntry& entry) {
    if (ended_)
        return false;
    const CLocale locale;
    archive_entry* raw;
    const int result = archive_read_next_header(handle_.get(), &raw);
    if (result == ARCHIVE_EOF)
        return false;
    if (result < ARCHIVE_WARN) // warnings are names that are not ASCII: see CLocale
        fail(shown_);
    describe(raw, entry);
    current_ = entry.thing;
    missing_ = entry.size;
    return true;
}

void TarReader::describe(archive_entry* raw, TarEntry& entry) const {
    const std::string path = text_or_empty(archive_entry_pathname(raw));
    entry.thing = shown_ + ": entry '" + path + "'";
    entry.name = LayerName::parse(path, entry.thing);
    entry.hard_link = archive_entry_hardlink(raw) != nullptr;
    entry.link =
        text_or_empty(entry.hard_link ? archive_entry_hardlink(raw) : archive_entry_symlink(raw));
    entry.mode = archive_entry_mode(raw);
    entry.uid = checked_id(archive_entry_uid(raw), entry.thing);
    entry.gid = checked_id(archive_entry_gid(raw), entry.thing);
    entry.device = makedev(archive_entry_rdevmajor(raw), archive_entry_rdevminor(raw));
    entry.size = static_cast<uint64_t>(archive_entry_size(raw));
    entry.modified = {archive_entry_mtime(raw), archive_entry_mtime_nsec(raw)};
    entry.xattrs = xattrs_of(raw);
}

bool TarReader::next_piece(Piece& piece) {
    const void* data;
    size_t size;
    la_int64_t offset;
    const int result = archive_read_data_block(handle_.get(), &data, &size, &offset);
    if (result == ARCHIVE_EOF)
        return false;
    // "umoci insert" ends after the last file's content, as does who writes with Go and forgets to close: no block is
    // filled up, and none of zeros follows. All that read with Go take that.
    ended_ = result < ARCHIVE_WARN && at_end_ && missing_ == 0;
    if (ended_)
        return false;
    if (result < ARCHIVE_WARN)
        fail(current_);
    missing_ -= std::min<uint64_t>(missing_, size);
    piece.bytes = {static_cast<const std::byte*>(data), size};
    piece.offset = static_cast<uint64_t>(offset);
    return true;
}

void TarReader::fail(const std::string& thing) {
    if (input_failure_)
        std::rethrow_exception(input_failure_);
    const std::string reason = text_or_empty(archive_error_string(handle_.get()));
    throw Error(thing, "damaged tar archive" + (reason.empty() ? "" : " (" + reason + ")"),
                "the image is damaged: copy it again");
}

} // namespace shale::oci
