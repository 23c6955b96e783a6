// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/manifest.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/temporary_directory.hpp"
#include "support/image_builder.hpp"

namespace shale::oci {

class ManifestTest : public ::testing::Test {
protected:
    /// An image of one layer that holds @p content (never unpacked here).
    Digest make(const std::string& content, const std::string& tag,
                const std::string& platform = "") {
        image_.layer(content, test::Compression::none);
        return image_.tag(tag, platform);
    }

    Manifest read(const std::string& tag = "") const {
        return read_manifest(Layout(image_.path()), tag, {"linux", "amd64"});
    }

    std::string refusal(const std::string& tag = "") const {
        try {
            read(tag);
        } catch (const Error& error) {
            return error.what();
        }
        return "(accepted)";
    }

    nlohmann::json index_of(const std::vector<nlohmann::json>& entries) {
        const nlohmann::json index = {{"schemaVersion", 2}, {"manifests", entries}};
        return {{"mediaType", "application/vnd.oci.image.index.v1+json"},
                {"digest", image_.blob(index.dump()).text()},
                {"size", index.dump().size()}};
    }

    TemporaryDirectory dir_;
    test::ImageBuilder image_{dir_.path() + "/layout"};
};

#define EXPECT_SAYS(message, part) EXPECT_NE((message).find(part), std::string::npos) << (message)

TEST_F(ManifestTest, TheOnlyImageNeedsNoTag) {
    const Digest digest = make("a", "one");
    EXPECT_EQ(read().descriptor.digest, digest);
    EXPECT_EQ(read().tag, "one");
    EXPECT_EQ(read("one").descriptor.digest, digest);
}

TEST_F(ManifestTest, SeveralTagsAreListedWhereNoneIsGiven) {
    const Digest one = make("a", "one");
    const Digest two = make("b", "two");
    EXPECT_SAYS(refusal(), "one, two");
    EXPECT_EQ(read("one").descriptor.digest, one);
    EXPECT_EQ(read("two").descriptor.digest, two);
    EXPECT_SAYS(refusal("three"), "no image tagged 'three'; tags are one, two");
}

TEST_F(ManifestTest, OfANestedIndexThePlatformIsPicked) {
    make("a", "", "linux/arm64");
    const nlohmann::json arm = image_.last_descriptor();
    const Digest amd = make("b", "", "linux/amd64");
    const nlohmann::json amd_descriptor = image_.last_descriptor();
    make("c", "", "unknown/unknown");
    const nlohmann::json attestation = image_.last_descriptor();
    image_.clear_index();
    nlohmann::json index = index_of({attestation, arm, index_of({amd_descriptor})});
    index["annotations"] = {{"org.opencontainers.image.ref.name", "multi"}};
    image_.list(index);
    EXPECT_EQ(read().descriptor.digest, amd);
    EXPECT_EQ(read().tag, "multi");
}

TEST_F(ManifestTest, AnImageForOtherMachinesOnlyIsRefusedNamingThem) {
    make("a", "x", "linux/arm64");
    EXPECT_SAYS(refusal(), "no image for linux/amd64; it is for linux/arm64");
}

TEST_F(ManifestTest, AnIndexThatContainsTooManyIndexesEnds) {
    make("a", "");
    nlohmann::json entry = image_.last_descriptor();
    image_.clear_index();
    for (int i = 0; i < 20; i++)
        entry = index_of({entry});
    image_.list(entry);
    EXPECT_SAYS(refusal(), "nested too deeply");
}

TEST_F(ManifestTest, ADirectoryThatIsNoLayoutSaysSo) {
    std::filesystem::remove(image_.path() + "/oci-layout");
    EXPECT_SAYS(refusal(), "not an OCI image layout");
}

TEST_F(ManifestTest, ALayoutOfAnotherVersionIsRefused) {
    test::write_file(image_.path() + "/oci-layout", R"({"imageLayoutVersion": "2.0.0"})");
    EXPECT_SAYS(refusal(), "unknown version '2.0.0'");
}

TEST_F(ManifestTest, AnEmptyLayoutSaysSo) {
    EXPECT_SAYS(refusal(), "lists no image");
}

TEST_F(ManifestTest, AMissingManifestIsNamed) {
    const Digest digest = make("a", "x");
    std::filesystem::remove(image_.blob_path(digest));
    EXPECT_SAYS(refusal(), image_.blob_path(digest) + ": blob is missing");
}

TEST_F(ManifestTest, AManifestThatWasChangedIsNamed) {
    const Digest digest = make("a", "x");
    std::string text = test::read_file(image_.blob_path(digest));
    text[text.find('2')] = '1';
    test::write_file(image_.blob_path(digest), text);
    EXPECT_SAYS(refusal(), image_.blob_path(digest) + ": wrong digest");
}

TEST_F(ManifestTest, MalformedJsonNamesFileAndKey) {
    const std::string index = image_.path() + "/index.json";
    for (const auto& [text, reason] : std::vector<std::pair<std::string, std::string>>{
             {"", "is not a JSON object"},
             {"[]", "is not a JSON object"},
             {"{}", "lacks 'manifests'"},
             {R"({"manifests": 1})", "'manifests' has the wrong type"},
             {R"({"manifests": [1]})", "'manifests' holds something that is not an object"},
             {R"({"manifests": [{}]})", "lacks 'mediaType'"},
             {R"({"manifests": [{"mediaType": 1}]})", "'mediaType' has the wrong type"},
             {R"({"manifests": [{"mediaType": "x", "digest": "sha256:/../x"}]})", "is malformed"},
             {R"({"manifests": [{"mediaType": "x", "digest": "sha256:)" + std::string(64, '0') +
                  R"(", "size": -1}]})",
              "'size' is not a whole number"}}) {
        test::write_file(index, text);
        EXPECT_SAYS(refusal(), index + ": ");
        EXPECT_SAYS(refusal(), reason);
    }
}

TEST_F(ManifestTest, DiffIdsAndLayersMustBeAsMany) {
    image_.layer("a", test::Compression::none);
    image_.tag("x");
    nlohmann::json manifest =
        nlohmann::json::parse(test::read_file(image_.blob_path(read().descriptor.digest)));
    manifest["layers"].push_back(manifest["layers"][0]);
    nlohmann::json descriptor = image_.last_descriptor();
    descriptor["digest"] = image_.blob(manifest.dump()).text();
    descriptor["size"] = manifest.dump().size();
    image_.clear_index();
    image_.list(descriptor);
    EXPECT_SAYS(refusal(), "lists 1 diff_ids for 2 layers");
}

} // namespace shale::oci
