// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/layout.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale::oci {

namespace {

const std::string copy_again = "the image is damaged: copy it again";

std::string without_slash(std::string path) {
    while (path.size() > 1 && path.ends_with('/'))
        path.pop_back();
    return path;
}

UniqueFd open_layout(const std::string& path) {
    UniqueFd dir(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!dir)
        throw Error::from_errno(path, errno);
    return dir;
}

} // namespace

Layout::Layout(std::string path)
    : path_(without_slash(std::move(path))), dir_(open_layout(path_)),
      blobs_(dir_.get(), path_, copy_again) {
    if (!stat_at(dir_.get(), "oci-layout"))
        throw Error(path_, "not an OCI image layout (it has no file oci-layout)",
                    "'skopeo copy docker://IMAGE oci:DIRECTORY:TAG' makes one");
    check_version(read_small_file("oci-layout"), path_ + "/oci-layout");
    read_index(read_small_file("index.json"));
}

Layout::Layout(std::string shown, int directory, const std::string& index,
               std::map<Digest, std::string> names)
    : path_(std::move(shown)), dir_(open_at(directory, ".", O_RDONLY | O_DIRECTORY)),
      blobs_(dir_.get(), path_, copy_again, std::move(names)) {
    read_index(index);
}

void Layout::check_version(const std::string& text, const std::string& shown) {
    const JsonFile version(text, shown);
    if (version.string("imageLayoutVersion") != "1.0.0")
        throw Error(version.shown(),
                    "unknown version '" + version.string("imageLayoutVersion") + "'",
                    "only 1.0.0 is known");
}

void Layout::read_index(const std::string& text) {
    const JsonFile index(text, path_ + "/index.json");
    for (const JsonFile& entry : index.objects("manifests"))
        entries_.push_back(Descriptor::parse(entry));
}

std::vector<std::string> Layout::tags() const {
    std::vector<std::string> tags;
    for (const Descriptor& entry : entries_) {
        const std::string& tag = entry.called();
        if (!tag.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end())
            tags.push_back(tag);
    }
    return tags;
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
