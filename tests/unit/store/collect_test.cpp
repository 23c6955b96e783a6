// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a store keeps and lets go when images get and lose names.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "store/store.hpp"
#include "support/store_fixture.hpp"

namespace fs = std::filesystem;

namespace shale::test {

class CollectTest : public StoreTest {
protected:
    /// An image of these layers, each with a file of that name.
    ImageRecord import(const std::string& name, const std::vector<std::string>& layers) {
        for (const std::string& layer : layers) {
            TarBuilder tar;
            tar.directory("./", 0755).file(layer, layer);
            image_.layer(tar.finish());
        }
        image_.tag(name);
        return open().import_layout(image_.path(), name, name, progress_);
    }

    std::size_t layers() const { return names_in(root() + "/layers").size(); }
    std::size_t blobs() const { return names_in(root() + "/blobs/sha256").size(); }

    const IsMounted nothing_ = [](const std::string&) { return false; };
};

TEST_F(CollectTest, WhatImagesHaveStays) {
    import("one", {"a", "b"});
    const std::size_t before = blobs();
    const auto garbage = open().collect({}, nothing_);
    ASSERT_TRUE(garbage);
    EXPECT_TRUE(garbage->empty());
    EXPECT_EQ(layers(), 2u);
    EXPECT_EQ(blobs(), before);
}

TEST_F(CollectTest, ARemovedImageTakesWithItWhatItAloneHad) {
    import("one", {"a"});
    import("two", {"a", "b"});
    ASSERT_EQ(layers(), 2u);
    Store store = open();
    store.remove_images({"two"});
    EXPECT_EQ(layers(), 2u);
    const auto garbage = store.collect({}, nothing_);
    ASSERT_TRUE(garbage);
    EXPECT_EQ(garbage->layers.size(), 1u);
    EXPECT_EQ(garbage->blobs.size(), 3u); // layer, config and manifest
    EXPECT_GT(garbage->blob_bytes, 0u);
    EXPECT_EQ(layers(), 1u);
    EXPECT_EQ(blobs(), 3u);
    EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
    EXPECT_NO_THROW(store.image("one"));
    EXPECT_THROW(store.image("two"), Error);

    store.import_layout(image_.path(), "two", "two", progress_);
    EXPECT_EQ(layers(), 2u);
}

TEST_F(CollectTest, AnImageWithTwoNamesLosesNothingWithOne) {
    import("one", {"a"});
    Store store = open();
    store.tag_image("one", "other");
    store.remove_images({"one"});
    EXPECT_TRUE(store.collect({}, nothing_)->empty());
    EXPECT_EQ(store.image("other").layers.size(), 1u);
    EXPECT_THROW(store.tag_image("one", "third"), Error);
}

TEST_F(CollectTest, AnImageUnderAWritableLayerIsNeitherRemovedNorReplaced) {
    import("one", {"a"});
    const ImageRecord two = import("two", {"a", "b"});
    Store store = open();
    store.prepare("writable", "one");
    EXPECT_THROW(store.remove_images({"one"}), Error);
    EXPECT_THROW(store.tag_image("two", "one"), Error);
    EXPECT_NO_THROW(store.tag_image("one", "one"));
    EXPECT_THROW(store.remove_images({"two", "one"}), Error);
    EXPECT_NO_THROW(store.image("two"));
    store.remove_snapshot("writable", nothing_);
    EXPECT_NO_THROW(store.tag_image("two", "one"));
    EXPECT_EQ(store.image("one").manifest_digest, two.manifest_digest);
}

TEST_F(CollectTest, MountedLayersStayAndAreTold) {
    const ImageRecord image = import("one", {"a", "b"});
    Store store = open();
    const std::string mounted = store.layer_path(image.layers[0]);
    store.remove_images({"one"});
    const auto garbage =
        store.collect({}, [&](const std::string& path) { return path == mounted; });
    ASSERT_TRUE(garbage);
    EXPECT_EQ(garbage->mounted, std::vector<Digest>{image.layers[0].chain_id});
    EXPECT_EQ(garbage->layers, std::vector<Digest>{image.layers[1].chain_id});
    EXPECT_TRUE(exists(mounted + "/a"));
    EXPECT_EQ(store.collect({}, nothing_)->layers.size(), 1u);
    EXPECT_EQ(layers(), 0u);
}

TEST_F(CollectTest, NothingGoesWhileSomebodyHoldsIt) {
    import("one", {"a"});
    Store store = open();
    store.remove_images({"one"});
    {
        const UseLock held = open().hold();
        EXPECT_FALSE(store.collect({}, nothing_));
        EXPECT_EQ(layers(), 1u);
        EXPECT_EQ(store.collect({.only_look = true}, nothing_)->layers.size(), 1u);
    }
    EXPECT_TRUE(store.collect({}, nothing_));
    EXPECT_EQ(layers(), 0u);
}

TEST_F(CollectTest, LookingRemovesNothing) {
    import("one", {"a"});
    open().remove_images({"one"});
    EXPECT_EQ(open().collect({.only_look = true}, nothing_)->blobs.size(), 3u);
    EXPECT_EQ(layers(), 1u);
    EXPECT_EQ(blobs(), 3u);
}

TEST_F(CollectTest, WhatACrashLeftGoesAndWhatIsNotOursStays) {
    import("one", {"a"});
    fs::create_directory(root() + "/layers/" + std::string(64, 'a'));
    fs::create_directory(root() + "/layers/lost+found");
    std::ofstream(root() + "/blobs/sha256/" + std::string(64, 'b')) << "xyz";
    const auto garbage = open().collect({}, nothing_);
    EXPECT_EQ(garbage->layers.size(), 1u);
    EXPECT_EQ(garbage->blobs.size(), 1u);
    EXPECT_EQ(garbage->blob_bytes, 3u);
    EXPECT_TRUE(exists(root() + "/layers/lost+found"));
    EXPECT_EQ(layers(), 2u);
}

TEST_F(CollectTest, WithoutBlobsAnImageStaysAndCannotBeExported) {
    const ImageRecord image = import("one", {"a"});
    EXPECT_EQ(open().collect({.all_blobs = true}, nothing_)->blobs.size(), 3u);
    EXPECT_EQ(blobs(), 0u);
    EXPECT_TRUE(exists(open().layer_path(image.layers[0]) + "/a"));
    EXPECT_THROW(open().export_image("one", "", ExportFormat::oci_directory, dir_.path() + "/out",
                                     progress_),
                 Error);
    open().import_layout(image_.path(), "one", "one", progress_);
    EXPECT_EQ(blobs(), 3u);
}

TEST_F(CollectTest, AFailureWhileAskingLeavesAllAsItWas) {
    import("one", {"a", "b"});
    Store store = open();
    store.remove_images({"one"});
    int asked = 0;
    EXPECT_THROW(store.collect({}, [&](const std::string&) -> bool {
        if (++asked == 2)
            throw Error("mounts", "cannot be asked for");
        return false;
    }), Error);
    EXPECT_EQ(layers(), 2u);
    EXPECT_TRUE(store.collect({}, nothing_));
    EXPECT_EQ(layers(), 0u);
}

TEST_F(CollectTest, WhatALostDatabaseDoesNotKnowIsNoGarbage) {
    import("one", {"a"});
    fs::remove(root() + "/shale.db");
    EXPECT_THROW(open().collect({}, nothing_), Error);
    EXPECT_THROW(open().collect({.only_look = true}, nothing_), Error);
    EXPECT_EQ(layers(), 1u);
    import("one", {"a"});
    EXPECT_TRUE(open().collect({}, nothing_)->empty());
}

TEST_F(CollectTest, AnUnknownWritableLayerKeepsAll) {
    import("one", {"a"});
    Store store = open();
    store.remove_images({"one"});
    fs::create_directories(root() + "/snapshots/other/upper");
    EXPECT_TRUE(store.collect({.only_look = true}, nothing_)); // nothing was written to it
    std::ofstream(root() + "/snapshots/other/upper/file") << "text";
    EXPECT_THROW(store.collect({}, nothing_), Error);
    EXPECT_EQ(layers(), 1u);
}

TEST_F(CollectTest, ALayerThatWasMountedIsRemovedLater) {
    import("one", {"a"});
    Store store = open();
    store.remove_images({"one"});
    EXPECT_EQ(store.collect({}, [](const std::string&) { return true; })->mounted.size(), 1u);
    EXPECT_EQ(layers(), 1u);
    EXPECT_EQ(store.collect({}, nothing_)->layers.size(), 1u);
    EXPECT_EQ(layers(), 0u);
}

TEST_F(CollectTest, WhatCanNotBeCleanedUpIsInNobodysWay) {
    import("one", {"a"});
    const std::string stale = root() + "/staging/left";
    fs::create_directories(stale + "/dir");
    std::ofstream(stale + "/dir/file") << "text";
    if (std::system(("chattr +i '" + stale + "/dir/file' 2>/dev/null").c_str()) != 0)
        GTEST_SKIP() << "no immutable files here";
    EXPECT_NO_THROW(open().collect({}, nothing_));
    EXPECT_NO_THROW(import("two", {"b"}));
    EXPECT_TRUE(fs::exists(stale + "/dir/file"));
    ASSERT_EQ(std::system(("chattr -i '" + stale + "/dir/file'").c_str()), 0);
    EXPECT_NO_THROW(open().collect({}, nothing_));
    EXPECT_FALSE(fs::exists(stale));
}

} // namespace shale::test
