// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/archive_members.hpp"

#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "oci/blob_directory.hpp"
#include "oci/decompress.hpp"

namespace shale::oci {

namespace {

const std::string not_from_a_tool = "no tool writes images so: take one that a tool has written";

/// More than anybody's images have: so that names can't fill the memory.
constexpr size_t most_members = 1 << 16;
constexpr size_t longest_name = 1024;
/// Links to links to links: only to end circles.
constexpr int most_links = 16;

/// A file that is being written, until its content is known.
constexpr const char* incoming = "incoming";

/// The name that a link leads to, or empty where that is outside.
std::string target_of(const TarEntry& entry) {
    // The target of a hard link is a name in the archive; that of a symbolic one begins where it is.
    const std::string from = entry.hard_link ? "" : entry.name.parent;
    if (entry.link.empty() || entry.link.front() == '/')
        return "";
    const std::string target = (std::filesystem::path(from) / entry.link).lexically_normal();
    return target == ".." || target.starts_with("../") ? "" : target;
}

} // namespace

ArchiveMembers::ArchiveMembers(ByteSource& input, int directory, std::string shown, Progress& progress)
    : directory_(directory), shown_(std::move(shown)) {
    make_directory_at(directory_, "blobs", 0700);
    make_directory_at(directory_, "blobs/sha256", 0700);
    const std::unique_ptr<ByteSource> tar = decompress(input, "", shown_);
    TarReader reader(*tar, shown_);
    TarEntry entry;
    while (reader.next(entry))
        take(entry, reader, progress);
    // What follows the end of a tar means nothing, but whoever writes a pipe wants to be rid of it; and
    // what is compressed has a checksum at its end.
    tar->drain();
}

void ArchiveMembers::take(const TarEntry& entry, TarReader& reader, Progress& progress) {
    const mode_t type = entry.mode & S_IFMT;
    if (!entry.hard_link && type == S_IFDIR)
        return;
    if (entry.name.kind != NameKind::object || entry.name.is_root())
        throw Error(entry.thing, "a name that means something in a layer only", not_from_a_tool);
    if (files_.size() + links_.size() == most_members)
        throw Error(shown_, "has more than " + std::to_string(most_members) + " members", not_from_a_tool);
    const std::string name = entry.name.path();
    if (name.size() > longest_name || entry.link.size() > longest_name)
        throw Error(shown_, "has a name of more than " + std::to_string(longest_name) + " bytes",
                    not_from_a_tool);
    if (entry.hard_link || type == S_IFLNK) {
        const std::string target = target_of(entry);
        if (target.empty())
            throw Error(entry.thing, "is a link to '" + entry.link + "', outside the archive",
                        not_from_a_tool);
        const auto known = links_.emplace(name, target);
        if (files_.contains(name) || known.first->second != target)
            throw Error(entry.thing, "is there twice, and not the same", not_from_a_tool);
    } else if (type == S_IFREG) {
        put(entry, store(entry, reader, progress));
    } else {
        throw Error(entry.thing, "neither a file nor a directory nor a link", not_from_a_tool);
    }
}

Member ArchiveMembers::store(const TarEntry& entry, TarReader& reader, Progress& progress) const {
    const UniqueFd file =
        open_at(directory_, incoming, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0444);
    Sha256 sha;
    Member member;
    TarReader::Piece piece;
    while (reader.next_piece(piece)) {
        if (progress.cancelled())
            throw Cancelled(shown_);
        if (piece.offset != member.size)
            throw Error(entry.thing, "has holes", "pack it without them: not with tar's --sparse");
        write_all_at(file.get(), piece.bytes.data(), piece.bytes.size(), member.size, entry.thing);
        sha.update(piece.bytes.data(), piece.bytes.size());
        member.size += piece.bytes.size();
    }
    if (member.size != entry.size)
        throw Error(entry.thing, "has " + std::to_string(member.size) + " bytes where the archive says " +
                                     std::to_string(entry.size), copy_archive_again);
    member.digest = sha.finish();
    rename_at(directory_, incoming, directory_, blob_name(member.digest));
    return member;
}

void ArchiveMembers::put(const TarEntry& entry, const Member& member) {
    const std::string name = entry.name.path();
    // Else whoever looks for the blob would find that it is missing.
    if (name.starts_with("blobs/sha256/") && name != blob_name(member.digest))
        throw Error(entry.thing, "wrong digest: content is " + member.digest.text(), copy_archive_again);
    const auto known = files_.emplace(name, member);
    if (links_.contains(name) || known.first->second.digest != member.digest)
        throw Error(entry.thing, "is there twice, and not the same", not_from_a_tool);
}

bool ArchiveMembers::has(const std::string& name) const {
    return files_.contains(name) || links_.contains(name);
}

std::string ArchiveMembers::name_ending(const std::string& end) const {
    for (const auto& [name, member] : files_) {
        if (name.ends_with(end))
            return name;
    }
    return "";
}

const Member& ArchiveMembers::at(const std::string& name) const {
    std::string found = std::filesystem::path(name).lexically_normal();
    for (int i = 0; i < most_links; i++) {
        if (const auto file = files_.find(found); file != files_.end())
            return file->second;
        const auto link = links_.find(found);
        if (link == links_.end())
            throw Error(path(name), found == name ? "is not in the archive"
                                                  : "leads to '" + found + "', which is not in the archive",
                        copy_archive_again);
        found = link->second;
    }
    throw Error(path(name), "is a link that leads nowhere", copy_archive_again);
}

UniqueFd ArchiveMembers::open(const Member& member) const {
    return open_at(directory_, blob_name(member.digest), O_RDONLY | O_NOFOLLOW);
}

std::string ArchiveMembers::text(const std::string& name) const {
    const Member& member = at(name);
    if (member.size > small_file_limit)
        throw Error(path(name), "larger than 4 MiB, too large for a manifest or config", copy_archive_again);
    return read_whole(open(member).get(), member.size, path(name));
}

std::string ArchiveMembers::begin_of(const Member& member, size_t size) const {
    return read_whole(open(member).get(), size, blob_name(member.digest));
}

std::map<Digest, std::string> ArchiveMembers::names() const {
    std::map<Digest, std::string> names;
    for (const auto& [name, member] : files_)
        names.emplace(member.digest, name);
    return names;
}

} // namespace shale::oci
