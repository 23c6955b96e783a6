// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/image_export.hpp"

#include <algorithm>
#include <regex>
#include <set>

#include "base/error.hpp"
#include "oci/decompress.hpp"
#include "oci/digest_source.hpp"

namespace shale {

namespace {

const std::string choose_tag = "choose another with --tag";

std::string incomplete(size_t gone, size_t all) {
    return std::to_string(gone) + " of its " + std::to_string(all) + " blobs are not in the store";
}

} // namespace

ImageExport::ImageExport(const ImageRecord& image, const BlobStore& blobs, Progress& progress)
    : image_(image), blobs_(blobs), progress_(progress) {
    refuse_if_incomplete();
    descriptor_.media_type = image.media_type;
    descriptor_.digest = image.manifest_digest;
    descriptor_.size = blobs.size_of(image.manifest_digest).value_or(0);
    const oci::BlobDirectory& directory = blobs.directory();
    manifest_ = oci::parse_manifest(directory.read(descriptor_), directory.path(descriptor_.digest));
    manifest_.config = directory.read(manifest_.config_blob);
    if (manifest_.layers.size() != image.layers.size())
        throw Error(directory.path(descriptor_.digest), "has another number of layers than the image",
                    directory.way_out());
    for (const oci::LayerDescriptor& layer : manifest_.layers)
        layers_.push_back(std::make_unique<oci::BlobSource>(directory, layer.blob, progress));
}

void ImageExport::refuse_if_incomplete() const {
    const std::string thing = "image '" + image_.name + "'";
    if (!image_.has_blobs())
        throw Error(thing, "was imported by an older version, which kept no blobs",
                    "import it again, which does not unpack its layers again");
    std::set<Digest> needed = {image_.manifest_digest, image_.config_digest};
    for (const LayerRecord& layer : image_.layers)
        needed.insert(layer.blob);
    const auto gone = std::count_if(needed.begin(), needed.end(), [&](const Digest& digest) {
        return !blobs_.size_of(digest);
    });
    if (gone > 0)
        throw Error(thing, incomplete(static_cast<size_t>(gone), needed.size()),
                    "import it again, which does not unpack its layers again");
}

oci::BlobSource& ImageExport::begin_layer(size_t index) {
    progress_.begin_layer(index + 1, layers_.size(), manifest_.layers[index].blob.size);
    return *layers_[index];
}

void ImageExport::write_layout(const std::string& tag, ImageOutput& output) {
    check_layout_tag(tag);
    const oci::Json index = {
        {"schemaVersion", 2},
        {"manifests",
         {{{"mediaType", descriptor_.media_type},
           {"digest", descriptor_.digest.text()},
           {"size", descriptor_.size},
           {"annotations", {{"org.opencontainers.image.ref.name", tag}}}}}}};
    output.text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    output.text("index.json", index.dump());
    output.directory("blobs");
    output.directory("blobs/sha256");
    output.text(oci::blob_name(descriptor_.digest), manifest_.text);
    output.text(oci::blob_name(manifest_.config_blob.digest), manifest_.config);
    std::set<Digest> written;
    for (size_t i = 0; i < layers_.size(); i++) {
        const oci::Descriptor& blob = manifest_.layers[i].blob;
        if (written.insert(blob.digest).second)
            output.blob(oci::blob_name(blob.digest), begin_layer(i), blob.size);
    }
    output.finish();
}

void ImageExport::write_uncompressed(size_t index, const std::string& name, ImageOutput& output) {
    oci::BlobSource& blob = begin_layer(index);
    const LayerRecord& record = image_.layers[index];
    const std::unique_ptr<oci::ByteSource> plain =
        oci::decompress(blob, manifest_.layers[index].blob.media_type, blob.shown());
    oci::DigestSource tar(*plain);
    output.stream(name, tar, record.size);
    blob.verify();
    if (const Digest found = tar.finish(); found != record.diff_id)
        throw Error(blob.shown(), "the layer in it has digest " + found.text(),
                    blobs_.directory().way_out());
}

void ImageExport::write_docker_archive(const std::string& tag, ImageOutput& output) {
    const std::string name = docker_tag(tag);
    oci::Json layers = oci::Json::array();
    std::set<Digest> written;
    for (size_t i = 0; i < layers_.size(); i++) {
        const Digest& diff_id = image_.layers[i].diff_id;
        const std::string file = diff_id.hex() + ".tar";
        layers.push_back(file);
        if (written.insert(diff_id).second)
            write_uncompressed(i, file, output);
    }
    const std::string config = manifest_.config_blob.digest.hex() + ".json";
    const oci::Json entry = {{"Config", config},
                             {"RepoTags", oci::Json::array({name})},
                             {"Layers", layers}};
    output.text(config, manifest_.config);
    output.text("manifest.json", oci::Json::array({entry}).dump());
    output.finish();
}

void check_layout_tag(const std::string& tag) {
    static const std::regex grammar("[A-Za-z0-9]+((--|[-._:@+/])[A-Za-z0-9]+)*");
    if (tag.size() > 255 || !std::regex_match(tag, grammar))
        throw Error("tag '" + tag + "'", "cannot be used in an OCI image layout", choose_tag);
}

std::string docker_tag(const std::string& name) {
    static const std::regex grammar(
        "([A-Za-z0-9][-A-Za-z0-9.]*(:[0-9]+)?/)?[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*"
        "(/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][-A-Za-z0-9_.]*)?");
    if (name.size() > 255 || !std::regex_match(name, grammar))
        throw Error("tag '" + name + "'", "is nothing that docker would take", choose_tag);
    const size_t colon = name.rfind(':');
    const bool tagged = colon != std::string::npos && name.find('/', colon) == std::string::npos;
    return tagged ? name : name + ":latest";
}

} // namespace shale
