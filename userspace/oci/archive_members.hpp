// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/progress.hpp"
#include "oci/byte_source.hpp"
#include "oci/tar_reader.hpp"

namespace shale::oci {

/// What to do about an archive that does not hold what it says.
inline constexpr const char* copy_archive_again = "the archive is damaged: copy it again";

/// A file that was in an archive.
struct Member {
    Digest digest;
    uint64_t size = 0;
};

/// The files of a tar, which is read once, from its begin to its end. Each is put into a directory as
/// blobs/sha256/HEX, by the digest of its content; names are remembered, and make no files. So what an
/// archive says can't lead anywhere.
class ArchiveMembers {
public:
    /// Reads all of @p input, a tar that may be compressed, into the open, empty directory @p directory,
    /// which outlives the object. @p shown names the archive in messages. Throws Error where the archive
    /// is damaged, or holds what no archive of an image does.
    ArchiveMembers(ByteSource& input, int directory, std::string shown, Progress& progress);

    /// Whether there is a file or link of this name.
    bool has(const std::string& name) const;
    /// A name of a file that ends with @p end; empty if there is none.
    std::string name_ending(const std::string& end) const;
    /// The file of this name, or that the link of this name leads to, within the archive. Throws Error.
    const Member& at(const std::string& name) const;
    /// The content of a small one, such as a manifest. Throws Error.
    std::string text(const std::string& name) const;
    /// The first bytes of one, at most @p size.
    std::string begin_of(const Member& member, size_t size) const;

    /// ARCHIVE/NAME, for messages.
    std::string path(const std::string& name) const { return shown_ + "/" + name; }
    const std::string& shown() const { return shown_; }
    int directory() const { return directory_; }
    /// What a name means, for messages, where the content is all that is known.
    std::map<Digest, std::string> names() const;

private:
    void take(const TarEntry& entry, TarReader& reader, Progress& progress);
    Member store(const TarEntry& entry, TarReader& reader, Progress& progress) const;
    void put(const TarEntry& entry, const Member& member);
    UniqueFd open(const Member& member) const;

    int directory_;
    std::string shown_;
    std::map<std::string, Member> files_;
    std::map<std::string, std::string> links_; ///< the name that each leads to, from the archive's root
};

} // namespace shale::oci
