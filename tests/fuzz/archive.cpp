// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any bytes as an archive of images: what comes of it are images, all of whose layers can be read, or an Error; and
// nothing outside of the directory it was to be unpacked in. So that not all is lost to checksums, bytes the second
// of which is a 0x1f are a list of members from which an archive is made: TYPE 0x1f NAME 0x1f CONTENT 0x1e.
#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/remove_tree.hpp"
#include "base/temporary_directory.hpp"
#include "oci/blob_source.hpp"
#include "oci/decompress.hpp"
#include "oci/image_archive.hpp"
#include "oci/manifest.hpp"
#include "oci/tar_reader.hpp"
#include "require.hpp"

namespace {

using namespace shale;

class MemorySource : public oci::ByteSource {
public:
    explicit MemorySource(std::string_view bytes) : rest_(bytes) {}

    std::span<const std::byte> next() override {
        const std::string_view piece = rest_.substr(0, 700); // so that pieces end anywhere
        rest_.remove_prefix(piece.size());
        return std::as_bytes(std::span(piece));
    }

private:
    std::string_view rest_;
};

std::string_view take_until(std::string_view& text, char end) {
    const std::string_view taken = text.substr(0, text.find(end));
    text.remove_prefix(std::min(text.size(), taken.size() + 1));
    return taken;
}

ssize_t append(archive*, void* bytes, const void* data, size_t size) {
    static_cast<std::string*>(bytes)->append(static_cast<const char*>(data), size);
    return static_cast<ssize_t>(size);
}

std::string tar_of(std::string_view members) {
    std::string bytes;
    archive* tar = archive_write_new();
    archive_write_set_format_pax_restricted(tar);
    archive_write_open(tar, &bytes, nullptr, append, nullptr);
    while (!members.empty()) {
        std::string_view content = take_until(members, '\x1e');
        const std::string type(take_until(content, '\x1f')), name(take_until(content, '\x1f'));
        const std::string target(content);
        archive_entry* entry = archive_entry_new();
        archive_entry_set_pathname(entry, name.c_str());
        archive_entry_set_mode(entry, type == "d" ? S_IFDIR | 0755 : type == "s" ? S_IFLNK | 0777 : S_IFREG | 0644);
        if (type == "s")
            archive_entry_set_symlink(entry, target.c_str());
        else if (type == "h")
            archive_entry_set_hardlink(entry, target.c_str());
        const bool file = type != "d" && type != "s" && type != "h";
        archive_entry_set_size(entry, file ? static_cast<la_int64_t>(content.size()) : 0);
        if (archive_write_header(tar, entry) >= ARCHIVE_WARN && file)
            archive_write_data(tar, content.data(), content.size());
        archive_entry_free(entry);
    }
    archive_write_close(tar);
    archive_write_free(tar);
    return bytes;
}

void read_layer(const oci::Layout& layout, const oci::LayerDescriptor& layer) {
    Progress progress;
    oci::BlobSource blob(layout.blobs(), layer.blob, progress);
    const auto plain = oci::decompress(blob, layer.blob.media_type, blob.shown());
    oci::TarReader reader(*plain, blob.shown());
    oci::TarEntry entry;
    oci::TarReader::Piece piece;
    while (reader.next(entry)) {
        while (reader.next_piece(piece)) {
        }
    }
    plain->drain();
    blob.verify();
}

void read_images(MemorySource& source, int directory) {
    Progress progress;
    const oci::Layout layout = oci::read_image_archive(source, directory, "archive", progress);
    auto tags = layout.tags();
    tags.push_back("");
    for (const std::string& tag : tags) {
        try {
            for (const oci::LayerDescriptor& layer : oci::read_manifest(layout, tag).layers)
                read_layer(layout, layer);
        } catch (const Error&) {
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    static const TemporaryDirectory directory;
    static const UniqueFd parent = open_at(AT_FDCWD, directory.path(), O_RDONLY | O_DIRECTORY);
    std::string_view input(reinterpret_cast<const char*>(data), size);
    std::string made;
    if (size > 1 && input[1] == '\x1f')
        input = made = tar_of(input);
    make_directory_at(parent.get(), "inside", 0700);
    {
        const UniqueFd inside = open_at(parent.get(), "inside", O_RDONLY | O_DIRECTORY);
        MemorySource source(input);
        try {
            read_images(source, inside.get());
        } catch (const Error& error) {
            REQUIRE(error.what()[0] != '\0');
        }
    }
    const std::filesystem::directory_iterator names(directory.path());
    REQUIRE(std::distance(begin(names), end(names)) == 1);
    remove_tree(parent.get(), "inside");
    return 0;
}
