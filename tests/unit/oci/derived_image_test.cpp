// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/derived_image.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace shale::oci {
namespace {

Manifest parent(const std::string& config, const std::string& media_type) {
    Manifest image;
    image.config = config;
    LayerDescriptor layer;
    layer.blob.media_type = media_type;
    layer.blob.digest = Digest::of("blob");
    layer.blob.size = 4;
    layer.diff_id = Digest::of("tar");
    image.layers = {layer};
    return image;
}

Step step() {
    Step step;
    step.layer.blob.media_type = "application/vnd.oci.image.layer.v1.tar+zstd";
    step.layer.blob.digest = Digest::of("new blob");
    step.layer.blob.size = 8;
    step.layer.diff_id = Digest::of("new tar");
    step.created = 1000000000;
    step.created_by = "test";
    step.author = "A";
    return step;
}

const std::string gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
const std::string config = R"({"zz": 1, "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:x"]}})";

TEST(DerivedImage, HasTheParentsConfigAndOneLayerMore) {
    const Manifest image = derive(parent(config, gzip), step(), "image");
    const auto json = nlohmann::ordered_json::parse(image.config);
    EXPECT_EQ(json.begin().key(), "zz") << "the order is kept";
    EXPECT_EQ(json["created"], "2001-09-09T01:46:40Z");
    EXPECT_EQ(json["author"], "A");
    EXPECT_EQ(json["rootfs"]["diff_ids"].size(), 2u);
    EXPECT_EQ(json["rootfs"]["diff_ids"][1], Digest::of("new tar").text());
    const auto manifest = nlohmann::json::parse(image.text);
    EXPECT_EQ(manifest["layers"][1]["digest"], Digest::of("new blob").text());
    EXPECT_EQ(manifest["config"]["digest"], Digest::of(image.config).text());
    EXPECT_EQ(image.descriptor.digest, Digest::of(image.text));
}

TEST(DerivedImage, HasAHistoryAsLongAsItsLayers) {
    auto history = nlohmann::json::parse(derive(parent(config, gzip), step(), "image").config)["history"];
    ASSERT_EQ(history.size(), 2u);
    EXPECT_EQ(history[1]["created_by"], "test");
    EXPECT_EQ(history[1]["author"], "A");
    EXPECT_FALSE(history[1].contains("comment"));
    const std::string told = R"({"rootfs": {"diff_ids": ["sha256:x"]},
        "history": [{"created_by": "one"}, {"empty_layer": true}]})";
    history = nlohmann::json::parse(derive(parent(told, gzip), step(), "image").config)["history"];
    ASSERT_EQ(history.size(), 3u);
    EXPECT_EQ(history[0]["created_by"], "one");
}

TEST(DerivedImage, CallsLayersAsOciDoes) {
    const auto type = [](const std::string& media_type) {
        return derive(parent(config, media_type), step(), "image").layers[0].blob.media_type;
    };
    EXPECT_EQ(type("application/vnd.docker.image.rootfs.diff.tar.gzip"), gzip);
    EXPECT_EQ(type(gzip), gzip);
}

TEST(DerivedImage, RefusesAConfigWithoutLayers) {
    EXPECT_THROW(derive(parent("{}", gzip), step(), "image"), Error);
    EXPECT_THROW(derive(parent("[", gzip), step(), "image"), Error);
}

} // namespace
} // namespace shale::oci
