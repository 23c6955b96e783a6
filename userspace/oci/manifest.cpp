// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/manifest.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/join.hpp"

namespace shale::oci {

namespace {

/// An index of indexes is as deep as images get; this only ends circles.
constexpr int max_index_depth = 8;

/// Whether all are the same image, under several names perhaps.
bool are_one(const std::vector<Descriptor>& entries) {
    return std::all_of(entries.begin(), entries.end(), [&](const Descriptor& entry) {
        return entry.digest == entries.front().digest;
    });
}

std::vector<Descriptor> entries_tagged(const Layout& layout, const std::string& tag) {
    const std::vector<std::string> tags = layout.tags();
    if (layout.entries().empty())
        throw Error(layout.path() + "/index.json", "lists no image");
    if (tag.empty()) {
        if (tags.size() > 1 && !are_one(layout.entries()))
            throw Error(layout.path(), "holds several images",
                        "name one as " + layout.path() + ":TAG; tags are " + join(tags, ", "));
        return layout.entries();
    }
    std::vector<Descriptor> found;
    for (const Descriptor& entry : layout.entries()) {
        if (entry.tag == tag || entry.name == tag)
            found.push_back(entry);
    }
    if (found.empty())
        throw Error(layout.path(), "holds no image tagged '" + tag + "'",
                    tags.empty() ? "its images have no tags: leave out ':" + tag + "'"
                                 : "tags are " + join(tags, ", "));
    return found;
}

/// The manifests for @p platform, or that do not say what they are for, depth first.
void collect(const Layout& layout, const std::vector<Descriptor>& entries, const Platform& platform,
             int depth, std::vector<Descriptor>& found, std::vector<std::string>& others) {
    for (const Descriptor& entry : entries) {
        if (entry.is_index()) {
            if (depth == max_index_depth)
                throw Error(layout.blobs().path(entry.digest), "indexes are nested too deeply");
            const JsonFile index(layout.blobs().read(entry), layout.blobs().path(entry.digest));
            std::vector<Descriptor> inner;
            for (const JsonFile& object : index.objects("manifests"))
                inner.push_back(Descriptor::parse(object));
            collect(layout, inner, platform, depth + 1, found, others);
        } else if (entry.is_manifest()) {
            if (!entry.platform || *entry.platform == platform)
                found.push_back(entry);
            else
                others.push_back(entry.platform->text());
        }
    }
}

Descriptor pick(const Layout& layout, const std::vector<Descriptor>& entries,
                const Platform& platform) {
    std::vector<Descriptor> found;
    std::vector<std::string> others;
    collect(layout, entries, platform, 0, found, others);
    const auto exact = std::find_if(found.begin(), found.end(), [](const Descriptor& entry) {
        return entry.platform.has_value();
    });
    if (exact != found.end())
        return *exact;
    if (found.empty())
        throw Error(layout.path(), "holds no image for " + platform.text(),
                    others.empty() ? "it may hold other artifacts only"
                                   : "it is for " + join(others, ", "));
    if (!are_one(found))
        throw Error(layout.path(), "holds several images that nothing tells apart",
                    "tag them, for example with 'umoci tag'");
    return found.front();
}

bool is_layer(const std::string& media_type) {
    return media_type.starts_with("application/vnd.oci.image.layer.") ||
           media_type.starts_with("application/vnd.docker.image.rootfs.");
}

} // namespace

Manifest parse_manifest(const std::string& text, const std::string& shown) {
    const JsonFile json(text, shown);
    Manifest manifest;
    manifest.text = text;
    manifest.config_blob = Descriptor::parse(json.object_or_empty("config"));
    for (const JsonFile& layer : json.objects("layers"))
        manifest.layers.push_back({Descriptor::parse(layer), {}});
    if (manifest.layers.empty())
        throw Error(shown, "the image has no layers");
    for (size_t i = 0; i < manifest.layers.size(); i++) {
        const std::string& type = manifest.layers[i].blob.media_type;
        if (!is_layer(type))
            throw Error(shown, "layer " + std::to_string(i + 1) + " is no file system layer (" +
                                   type + ")");
    }
    return manifest;
}

Manifest read_manifest(const Layout& layout, const std::string& tag, const Platform& platform) {
    const BlobDirectory& blobs = layout.blobs();
    const std::vector<Descriptor> entries = entries_tagged(layout, tag);
    const Descriptor chosen = pick(layout, entries, platform);

    Manifest manifest = parse_manifest(blobs.read(chosen), blobs.path(chosen.digest));
    manifest.descriptor = chosen;
    manifest.tag = tag.empty() ? entries.front().called() : tag;
    manifest.config = blobs.read(manifest.config_blob);
    const JsonFile config(manifest.config, blobs.path(manifest.config_blob.digest));
    const std::vector<std::string> diff_ids = config.object_or_empty("rootfs").strings("diff_ids");
    if (manifest.layers.size() != diff_ids.size())
        throw Error(config.shown(),
                    "lists " + std::to_string(diff_ids.size()) + " diff_ids for " +
                        std::to_string(manifest.layers.size()) + " layers",
                    "the image is damaged: copy it again");
    for (size_t i = 0; i < diff_ids.size(); i++)
        manifest.layers[i].diff_id = Digest::parse(diff_ids[i], config.shown());
    return manifest;
}

} // namespace shale::oci
