// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/image_archive.hpp"

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "oci/archive_members.hpp"
#include "oci/docker_archive.hpp"

namespace shale::oci {

namespace {

Json entry_of(const std::string& manifest, const std::string& tag) {
    Json entry = {{"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                  {"digest", Digest::of(manifest).text()},
                  {"size", manifest.size()}};
    if (!tag.empty())
        entry["annotations"] = {{"org.opencontainers.image.ref.name", tag},
                                {"io.containerd.image.name", tag}};
    return entry;
}

void put_blob(int directory, const std::string& content, const std::string& shown) {
    const std::string name = blob_name(Digest::of(content));
    if (stat_at(directory, name))
        return;
    const UniqueFd file = open_at(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0444);
    write_all_at(file.get(), content.data(), content.size(), 0, shown);
}

/// The index.json that the layout of a docker-archive would have, whose manifests are made.
std::string make_index(const ArchiveMembers& archive) {
    Json entries = Json::array();
    for (const DockerImage& image : read_docker_archive(archive)) {
        put_blob(archive.directory(), image.manifest, archive.shown());
        for (const std::string& tag : image.tags)
            entries.push_back(entry_of(image.manifest, tag));
        if (image.tags.empty())
            entries.push_back(entry_of(image.manifest, ""));
    }
    return Json{{"schemaVersion", 2}, {"manifests", entries}}.dump();
}

[[noreturn]] void refuse(const ArchiveMembers& archive) {
    const std::string wanted = "holds no image: neither index.json and oci-layout nor manifest.json";
    for (const char* end : {"/index.json", "/manifest.json"}) {
        if (const std::string name = archive.name_ending(end); !name.empty())
            throw Error(archive.shown(), wanted,
                        "it has '" + name + "': pack what is in that directory, not the directory");
    }
    throw Error(archive.shown(), wanted, "'skopeo copy' and 'docker save' write archives of images");
}

} // namespace

Layout read_image_archive(ByteSource& input, int directory, const std::string& shown, Progress& progress) {
    const ArchiveMembers archive(input, directory, shown, progress);
    // Some hold both. The layout has the image's own manifest.
    if (archive.has("index.json") && archive.has("oci-layout")) {
        Layout::check_version(archive.text("oci-layout"), archive.path("oci-layout"));
        return Layout(shown, directory, archive.text("index.json"), archive.names());
    }
    if (!archive.has("manifest.json"))
        refuse(archive);
    return Layout(shown, directory, make_index(archive), archive.names());
}

} // namespace shale::oci
