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

/// Of four layers, with the history that @p told is.
Manifest parent_of_four(const std::string& told) {
    Manifest image = parent(R"({"created": "then", "rootfs": {"diff_ids": ["a", "b", "c", "d"]}, "history": )" + told + "}",
                            gzip);
    for (const char* name : {"b", "c", "d"}) {
        image.layers.push_back(image.layers.front());
        image.layers.back().diff_id = Digest::of(name);
    }
    return image;
}

nlohmann::json merged(const Manifest& of, size_t first, size_t last) {
    const Manifest image = merge(of, {first, last, step().layer, "merged", "some layers"}, "image");
    EXPECT_EQ(nlohmann::json::parse(image.text)["layers"].size(), image.layers.size());
    EXPECT_EQ(image.layers.size(), of.layers.size() - (last - first));
    auto config = nlohmann::json::parse(image.config);
    EXPECT_EQ(config["rootfs"]["diff_ids"].size(), image.layers.size());
    for (size_t i = 0; i < image.layers.size(); ++i)
        EXPECT_EQ(config["rootfs"]["diff_ids"][i], image.layers[i].diff_id.text());
    size_t with_layer = 0;
    for (const auto& entry : config["history"])
        with_layer += !entry.value("empty_layer", false);
    EXPECT_EQ(with_layer, image.layers.size());
    return config;
}

TEST(MergedImage, HasOneLayerInPlaceOfSeveral) {
    const Manifest of = parent_of_four("[]");
    const auto config = merged(of, 1, 2);
    EXPECT_EQ(config["rootfs"]["diff_ids"][0], of.layers[0].diff_id.text());
    EXPECT_EQ(config["rootfs"]["diff_ids"][1], Digest::of("new tar").text());
    EXPECT_EQ(config["rootfs"]["diff_ids"][2], of.layers[3].diff_id.text());
    EXPECT_EQ(merged(of, 0, 3)["rootfs"]["diff_ids"].size(), 1u);
    EXPECT_EQ(merged(of, 0, 1)["rootfs"]["diff_ids"].size(), 3u);
    EXPECT_EQ(merged(of, 2, 3)["rootfs"]["diff_ids"].size(), 3u);
}

TEST(MergedImage, KeepsTheStepsOfItsHistory) {
    const auto config = merged(parent_of_four(R"([{"created_by": "1"}, {"created_by": "env", "empty_layer": true},
        {"created_by": "2"}, {"created_by": "3", "created": "2001-09-09T01:46:40Z"}, {"created_by": "4"}])"), 1, 2);
    const auto& history = config["history"];
    ASSERT_EQ(history.size(), 6u);
    EXPECT_EQ(history[2]["created_by"], "2");
    EXPECT_EQ(history[2]["empty_layer"], true);
    EXPECT_EQ(history[3]["empty_layer"], true);
    EXPECT_EQ(history[4]["created_by"], "merged");
    EXPECT_EQ(history[4]["comment"], "some layers");
    EXPECT_EQ(history[4]["created"], "2001-09-09T01:46:40Z");
    EXPECT_FALSE(history[4].contains("empty_layer"));
    EXPECT_EQ(history[5]["created_by"], "4");
    EXPECT_EQ(config["created"], "then");
}

TEST(MergedImage, BearsAHistoryOfNoSense) {
    merged(parent_of_four("null"), 0, 3);
    merged(parent_of_four(R"([1, "x", {"created": 5}])"), 0, 2);
    EXPECT_THROW(merge(parent("{}", gzip), {0, 0, step().layer, "", ""}, "image"), Error);
}

} // namespace
} // namespace shale::oci
