// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/docker_archive.hpp"

#include "base/error.hpp"
#include "oci/decompress.hpp"

namespace shale::oci {

namespace {

constexpr const char* manifest_name = "manifest.json";
const std::string image_type = "application/vnd.oci.image.";

// In the order in which Go's programs write them: who makes a manifest of the same layers gets the same.
using OrderedJson = nlohmann::ordered_json;

OrderedJson descriptor(const std::string& type, const Member& member) {
    return {{"mediaType", image_type + type}, {"digest", member.digest.text()}, {"size", member.size}};
}

std::vector<Digest> diff_ids(const ArchiveMembers& archive, const std::string& config) {
    const JsonFile json(archive.text(config), archive.path(config));
    std::vector<Digest> digests;
    for (const std::string& text : json.object_or_empty("rootfs").strings("diff_ids"))
        digests.push_back(Digest::parse(text, json.shown()));
    return digests;
}

OrderedJson layer_descriptor(const ArchiveMembers& archive, const std::string& name,
                             const Digest& diff_id) {
    const Member& member = archive.at(name);
    const std::string begin = archive.begin_of(member, 4);
    const std::string compression = compression_of(std::as_bytes(std::span(begin)));
    if (compression.empty() && member.digest != diff_id)
        throw Error(archive.path(name), "wrong digest: content is " + member.digest.text() +
                                            " where the image's config says " + diff_id.text(),
                    copy_archive_again);
    return descriptor("layer.v1.tar" + (compression.empty() ? "" : "+" + compression), member);
}

DockerImage image_of(const ArchiveMembers& archive, const JsonFile& entry) {
    const std::string config = entry.string("Config");
    const std::vector<std::string> names = entry.strings_or_none("Layers");
    const std::vector<Digest> ids = diff_ids(archive, config);
    if (names.size() != ids.size())
        throw Error(archive.path(config),
                    "lists " + std::to_string(ids.size()) + " diff_ids for " +
                        std::to_string(names.size()) + " layers",
                    copy_archive_again);
    OrderedJson layers = OrderedJson::array();
    for (size_t i = 0; i < names.size(); i++)
        layers.push_back(layer_descriptor(archive, names[i], ids[i]));
    const OrderedJson manifest = {{"schemaVersion", 2},
                                  {"mediaType", image_type + "manifest.v1+json"},
                                  {"config", descriptor("config.v1+json", archive.at(config))},
                                  {"layers", layers}};
    return {manifest.dump(), entry.strings_or_none("RepoTags")};
}

} // namespace

std::vector<DockerImage> read_docker_archive(const ArchiveMembers& archive) {
    std::vector<DockerImage> images;
    for (const JsonFile& entry :
         JsonFile::array(archive.text(manifest_name), archive.path(manifest_name)))
        images.push_back(image_of(archive, entry));
    return images;
}

} // namespace shale::oci
