// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/layout.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale::oci {

namespace {

/// Registries refuse manifests above 4 MiB; anything larger is not meant to be held in memory.
constexpr uint64_t small_file_limit = 4 << 20;

const std::string copy_again = "the image is damaged: copy it again";

std::string read_whole(int fd, uint64_t size, const std::string& shown) {
    std::string text(size, '\0');
    size_t have = 0;
    while (have < size) {
        const size_t got = read_some(fd, text.data() + have, size - have, shown);
        if (got == 0)
            break;
        have += got;
    }
    text.resize(have);
    return text;
}

} // namespace

Layout::Layout(std::string path) : path_(std::move(path)) {
    while (path_.size() > 1 && path_.ends_with('/'))
        path_.pop_back();
    dir_ = UniqueFd(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!dir_)
        throw Error::from_errno(
            path_, errno,
            errno == ENOTDIR ? "unpack the archive first: an image layout is a directory" : "");
    if (!stat_at(dir_.get(), "oci-layout"))
        throw Error(path_, "not an OCI image layout (it has no file oci-layout)",
                    "'skopeo copy docker://IMAGE oci:DIRECTORY:TAG' makes one");
    const JsonFile version(read_small_file("oci-layout"), path_ + "/oci-layout");
    if (version.string("imageLayoutVersion") != "1.0.0")
        throw Error(version.shown(),
                    "unknown version '" + version.string("imageLayoutVersion") + "'",
                    "only 1.0.0 is known");
    const JsonFile index(read_small_file("index.json"), path_ + "/index.json");
    for (const JsonFile& entry : index.objects("manifests"))
        entries_.push_back(Descriptor::parse(entry));
}

std::vector<std::string> Layout::tags() const {
    std::vector<std::string> tags;
    for (const Descriptor& entry : entries_) {
        if (!entry.tag.empty() && std::find(tags.begin(), tags.end(), entry.tag) == tags.end())
            tags.push_back(entry.tag);
    }
    return tags;
}

std::string Layout::blob_path(const Digest& digest) const {
    return path_ + "/blobs/sha256/" + digest.hex();
}

UniqueFd Layout::open_blob(const Descriptor& descriptor) const {
    const std::string shown = blob_path(descriptor.digest);
    // Blobs may be links into a shared pool, so links are followed: they can at worst lead to a
    // file whose digest is wrong. A fifo must not hang us.
    UniqueFd fd(openat(dir_.get(), ("blobs/sha256/" + descriptor.digest.hex()).c_str(),
                       O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!fd && errno == ENOENT)
        throw Error(shown, "blob is missing", "the image is incomplete: copy it again");
    if (!fd)
        throw Error::from_errno(shown, errno);
    const struct stat st = stat_of(fd.get(), shown);
    if (!S_ISREG(st.st_mode))
        throw Error(shown, "blob is not a regular file", copy_again);
    const uint64_t size = static_cast<uint64_t>(st.st_size);
    if (size != descriptor.size)
        throw Error(
            shown,
            std::string(size < descriptor.size ? "blob is truncated: " : "blob is too long: ") +
                std::to_string(size) + " bytes where the manifest says " +
                std::to_string(descriptor.size),
            copy_again);
    return fd;
}

std::string Layout::read_blob(const Descriptor& descriptor) const {
    const std::string shown = blob_path(descriptor.digest);
    if (descriptor.size > small_file_limit)
        throw Error(shown, "larger than 4 MiB, too large for a manifest or config");
    const UniqueFd fd = open_blob(descriptor);
    std::string text = read_whole(fd.get(), descriptor.size, shown);
    if (const Digest found = Digest::of(text); found != descriptor.digest)
        throw Error(shown, "wrong digest: content is " + found.text(), copy_again);
    return text;
}

std::string Layout::read_small_file(const std::string& name) const {
    const std::string shown = path_ + "/" + name;
    UniqueFd fd(openat(dir_.get(), name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!fd)
        throw Error::from_errno(shown, errno, "the image is incomplete: copy it again");
    const struct stat st = stat_of(fd.get(), shown);
    if (!S_ISREG(st.st_mode) || static_cast<uint64_t>(st.st_size) > small_file_limit)
        throw Error(shown, "not a regular file of at most 4 MiB", copy_again);
    return read_whole(fd.get(), static_cast<uint64_t>(st.st_size), shown);
}

} // namespace shale::oci
