// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/image_builder.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <zlib.h>
#include <zstd.h>

namespace shale::test {

namespace {

constexpr const char* manifest_type = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* config_type = "application/vnd.oci.image.config.v1+json";
constexpr const char* layer_type = "application/vnd.oci.image.layer.v1.tar";

nlohmann::json descriptor(const std::string& type, const Digest& digest, size_t size) {
    return {{"mediaType", type}, {"digest", digest.text()}, {"size", size}};
}

std::string gzip(const std::string& data) {
    z_stream stream = {};
    deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, data.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string zstd(const std::string& data) {
    std::string out(ZSTD_compressBound(data.size()), '\0');
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    out.resize(ZSTD_compress2(context, out.data(), out.size(), data.data(), data.size()));
    ZSTD_freeCCtx(context);
    return out;
}

} // namespace

std::string compress(const std::string& data, Compression compression) {
    switch (compression) {
    case Compression::gzip:
        return gzip(data);
    case Compression::zstd:
        return zstd(data);
    case Compression::none:
        break;
    }
    return data;
}

std::string read_file(const std::string& path) {
    std::ostringstream content;
    content << std::ifstream(path, std::ios::binary).rdbuf();
    return content.str();
}

void write_file(const std::string& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

ImageBuilder::ImageBuilder(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directories(path_ + "/blobs/sha256");
    write_file(path_ + "/oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
    clear_index();
}

std::string ImageBuilder::blob_path(const Digest& digest) const {
    return path_ + "/blobs/sha256/" + digest.hex();
}

Digest ImageBuilder::blob(const std::string& content) {
    const Digest digest = Digest::of(content);
    write_file(blob_path(digest), content);
    return digest;
}

Digest ImageBuilder::layer(const std::string& tar, Compression compression) {
    std::string type = layer_type;
    if (compression != Compression::none)
        type += compression == Compression::gzip ? "+gzip" : "+zstd";
    return raw_layer(compress(tar, compression), type, Digest::of(tar));
}

Digest ImageBuilder::raw_layer(const std::string& content, const std::string& media_type,
                               const Digest& diff_id) {
    const Digest digest = blob(content);
    layers_.push_back(descriptor(media_type, digest, content.size()));
    diff_ids_.push_back(diff_id.text());
    return digest;
}

Digest ImageBuilder::tag(const std::string& tag, const std::string& platform) {
    const nlohmann::json config = {{"os", "linux"},
                                   {"architecture", "amd64"},
                                   {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids_}}}};
    const nlohmann::json manifest = {
        {"schemaVersion", 2},
        {"config", descriptor(config_type, blob(config.dump()), config.dump().size())},
        {"layers", layers_}};
    const Digest digest = blob(manifest.dump());
    last_ = descriptor(manifest_type, digest, manifest.dump().size());
    if (!tag.empty())
        last_["annotations"] = {{"org.opencontainers.image.ref.name", tag}};
    if (const size_t slash = platform.find('/'); slash != std::string::npos)
        last_["platform"] = {{"os", platform.substr(0, slash)},
                             {"architecture", platform.substr(slash + 1)}};
    list(last_);
    layers_ = nlohmann::json::array();
    diff_ids_ = nlohmann::json::array();
    return digest;
}

void ImageBuilder::list(const nlohmann::json& entry) {
    index_["manifests"].push_back(entry);
    write_index();
}

void ImageBuilder::clear_index() {
    index_ = {{"schemaVersion", 2}, {"manifests", nlohmann::json::array()}};
    write_index();
}

void ImageBuilder::write_index() const {
    write_file(path_ + "/index.json", index_.dump());
}

} // namespace shale::test
