// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oci/archive_stream.hpp"
#include "oci/tar_entry.hpp"

namespace shale::oci {

/// Bytes of a file that are not all zero.
struct Extent {
    uint64_t offset = 0;
    uint64_t size = 0;

    bool operator==(const Extent&) const = default;
};

/// Writes the tar of a layer, in pax format. What goes in, and in which order, decides every byte of it.
///
/// Extended attributes are SCHILY.xattr.* records, ACLs and file capabilities among them: that is what
/// programs that unpack images know. Holes are left out as GNU tar does it (sparse format 1.0).
class LayerWriter {
public:
    /// @p shown names the layer in messages.
    LayerWriter(Sink sink, std::string shown);

    /// Anything but a regular file. @p path is from the root of the layer, empty for the root itself.
    void add(const std::string& path, const TarEntry& entry);
    /// Begins a regular file, whose content follows in order: extents by content(), holes by hole().
    void begin_file(const std::string& path, const TarEntry& entry, const std::vector<Extent>& data);
    void content(std::span<const std::byte> bytes);
    void hole(uint64_t size);

    /// Hides @p name of the layers below in the directory @p parent.
    void whiteout(const std::string& parent, const std::string& name, const struct timespec& modified);
    /// Hides all that the layers below have in @p directory.
    void opaque(const std::string& directory, const struct timespec& modified);

    /// Ends the archive.
    void finish();

private:
    void header(const std::string& path, const TarEntry& entry, const std::vector<Extent>& data);
    void take(uint64_t size);

    ArchiveStream archive_;
    std::string current_; ///< path of the file
    uint64_t left_ = 0;   ///< of it
};

} // namespace shale::oci
