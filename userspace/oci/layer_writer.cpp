// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/layer_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include <archive.h>
#include <archive_entry.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "base/error.hpp"

namespace shale::oci {

namespace {

using Entry = std::unique_ptr<archive_entry, decltype(&archive_entry_free)>;

std::string joined(const std::string& parent, const std::string& name) {
    return parent.empty() ? name : parent + "/" + name;
}

TarEntry empty_file(const struct timespec& modified) {
    TarEntry entry;
    entry.mode = S_IFREG;
    entry.modified = modified;
    return entry;
}

void set_holes(archive_entry* raw, const TarEntry& entry, const std::vector<Extent>& data) {
    if (data.size() == 1 && data.front() == Extent{0, entry.size})
        return;
    for (const Extent& extent : data)
        archive_entry_sparse_add_entry(raw, static_cast<la_int64_t>(extent.offset),
                                       static_cast<la_int64_t>(extent.size));
    if (data.empty() && entry.size > 0) // nothing but a hole
        archive_entry_sparse_add_entry(raw, static_cast<la_int64_t>(entry.size), 0);
}

void describe(archive_entry* raw, const std::string& path, const TarEntry& entry) {
    archive_entry_set_pathname(raw, path.empty() ? "./" : path.c_str());
    archive_entry_set_mode(raw, entry.mode);
    archive_entry_set_uid(raw, entry.uid);
    archive_entry_set_gid(raw, entry.gid);
    archive_entry_set_mtime(raw, entry.modified.tv_sec, entry.modified.tv_nsec);
    archive_entry_set_size(raw, static_cast<la_int64_t>(S_ISREG(entry.mode) ? entry.size : 0));
    if (entry.hard_link)
        archive_entry_set_hardlink(raw, entry.link.c_str());
    else if (S_ISLNK(entry.mode))
        archive_entry_set_symlink(raw, entry.link.c_str());
    if (S_ISCHR(entry.mode) || S_ISBLK(entry.mode)) {
        archive_entry_set_rdevmajor(raw, major(entry.device));
        archive_entry_set_rdevminor(raw, minor(entry.device));
    }
    for (const auto& [name, value] : entry.xattrs)
        archive_entry_xattr_add_entry(raw, name.c_str(), value.data(), value.size());
}

/// Zeros for libarchive to be pointed at, which wants all of a file handed to it and does not look at
/// what lies in holes: no memory stands behind them.
class Zeros {
public:
    static constexpr size_t size = size_t{1} << 30;

    Zeros() : bytes_(mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
        if (bytes_ == MAP_FAILED)
            throw Error::from_errno("memory for holes", errno);
    }
    ~Zeros() { munmap(bytes_, size); }
    Zeros(const Zeros&) = delete;
    Zeros& operator=(const Zeros&) = delete;

    const void* get() const { return bytes_; }

private:
    void* bytes_;
};

} // namespace

LayerWriter::LayerWriter(Sink sink, std::string shown) : archive_(std::move(sink), std::move(shown)) {
    archive_write_set_format_pax(archive_.get());
    // Names are bytes, whatever the locale.
    archive_.check(archive_write_set_options(archive_.get(), "hdrcharset=BINARY,xattrheader=SCHILY"));
    archive_.open();
}

void LayerWriter::header(const std::string& path, const TarEntry& entry, const std::vector<Extent>& data) {
    if (left_ > 0)
        throw Error(archive_.shown() + ": '" + current_ + "'", "became shorter while it was read");
    const Entry raw(archive_entry_new(), archive_entry_free);
    describe(raw.get(), path, entry);
    set_holes(raw.get(), entry, data);
    archive_.check(archive_write_header(archive_.get(), raw.get()));
    current_ = path;
}

void LayerWriter::add(const std::string& path, const TarEntry& entry) {
    header(path, entry, {Extent{0, entry.size}});
}

void LayerWriter::begin_file(const std::string& path, const TarEntry& entry, const std::vector<Extent>& data) {
    header(path, entry, data);
    left_ = entry.size;
}

void LayerWriter::take(uint64_t size) {
    if (size > left_)
        throw Error(archive_.shown() + ": '" + current_ + "'", "became longer while it was read");
    left_ -= size;
}

void LayerWriter::content(std::span<const std::byte> bytes) {
    take(bytes.size());
    archive_.check(archive_write_data(archive_.get(), bytes.data(), bytes.size()));
}

void LayerWriter::hole(uint64_t size) {
    static const Zeros zeros;
    take(size);
    while (size > 0) {
        const size_t piece = static_cast<size_t>(std::min<uint64_t>(size, Zeros::size));
        archive_.check(archive_write_data(archive_.get(), zeros.get(), piece));
        size -= piece;
    }
}

void LayerWriter::whiteout(const std::string& parent, const std::string& name,
                           const struct timespec& modified) {
    add(joined(parent, ".wh." + name), empty_file(modified));
}

void LayerWriter::opaque(const std::string& directory, const struct timespec& modified) {
    add(joined(directory, ".wh..wh..opq"), empty_file(modified));
}

void LayerWriter::finish() {
    if (left_ > 0)
        throw Error(archive_.shown() + ": '" + current_ + "'", "became shorter while it was read");
    archive_.close();
}

} // namespace shale::oci
