// SPDX-License-Identifier: GPL-2.0-or-later
//
// That the database can be lost, and that what lies beside it is what it said, whatever happened on the way.
#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "store/catalog.hpp"
#include "store/database.hpp"
#include "support/store_fixture.hpp"

namespace fs = std::filesystem;

namespace shale::test {

class RebuildTest : public StoreTest {
protected:
    void SetUp() override {
        StoreTest::SetUp();
        if (IsSkipped())
            return;
        import("one", {"a", "b"});
        import("registry:5000/two/2", {"a", "c"});
        Store store = open();
        store.tag_image("one", "again");
        store.prepare("web", "one");
        write_file(store.snapshot("web").upper + "/changed", "x");
        store.prepare("db", "registry:5000/two/2");
        store.prepare("gone", "one");
        store.remove_snapshot("gone", nothing_);
        import("lost", {"d"});
        store.remove_images({"lost"});
        store.collect({}, nothing_);
    }

    void import(const std::string& name, const std::vector<std::string>& layers) {
        for (const std::string& layer : layers) {
            TarBuilder tar;
            tar.directory("./", 0755).file(layer, layer);
            image_.layer(tar.finish());
        }
        image_.tag(name);
        open().import_layout(image_.path(), name, name, progress_);
    }

    std::string database() const { return root() + "/shale.db"; }

    /// All that the database says.
    std::string said() {
        Store store = open();
        std::string text;
        for (const ImageRecord& image : store.images()) {
            text += image.name + " " + image.manifest_digest.text() + " " + image.media_type + " " +
                    image.config_digest.text() + " " + image.config + " " + std::to_string(image.imported) + "\n";
            for (const LayerRecord& layer : image.layers)
                text += "  " + layer.chain_id.text() + " " + layer.diff_id.text() + " " + layer.blob.text() + " " +
                        std::to_string(layer.size) + " " + layer.tree.text() + "\n";
        }
        for (const SnapshotRecord& snapshot : store.snapshots())
            text += snapshot.name + " " + snapshot.image + " " + std::to_string(snapshot.created) +
                    (snapshot.is_view ? " view\n" : "\n");
        return text;
    }

    std::vector<std::string> image_files() const {
        std::vector<std::string> names = names_in(root() + "/images");
        return names;
    }

    const IsMounted nothing_ = [](const std::string&) { return false; };
};

TEST_F(RebuildTest, ADatabaseThatIsGone) {
    const std::string before = said();
    fs::remove(database());
    EXPECT_EQ(said(), "");
    const Rebuilt rebuilt = Store::rebuild(root());
    EXPECT_EQ(said(), before);
    EXPECT_EQ(rebuilt.images, 3u);
    EXPECT_EQ(rebuilt.layers, 3u);
    EXPECT_EQ(rebuilt.snapshots, 2u);
    EXPECT_EQ(rebuilt.found, 5u);
    EXPECT_TRUE(rebuilt.problems.empty());
    EXPECT_TRUE(rebuilt.set_aside.empty());
    const auto garbage = open().collect({}, nothing_);
    ASSERT_TRUE(garbage);
    EXPECT_TRUE(garbage->empty());
    EXPECT_TRUE(garbage->trees.empty());
}

TEST_F(RebuildTest, ADatabaseThatIsDamaged) {
    const std::string before = said();
    write_file(database(), std::string(8192, 'x'));
    EXPECT_THROW(open(), Error);
    const Rebuilt rebuilt = Store::rebuild(root());
    EXPECT_EQ(rebuilt.set_aside, root() + "/shale.db.damaged");
    EXPECT_EQ(read_file(rebuilt.set_aside), std::string(8192, 'x'));
    EXPECT_EQ(said(), before);
    write_file(database(), std::string(8192, 'y'));
    EXPECT_EQ(Store::rebuild(root()).set_aside, root() + "/shale.db.damaged-2");
}

TEST_F(RebuildTest, OfASoundDatabaseNothingChanges) {
    const std::string before = said();
    const Rebuilt rebuilt = Store::rebuild(root());
    EXPECT_EQ(rebuilt.found, 0u);
    EXPECT_EQ(said(), before);
}

TEST_F(RebuildTest, WhatWasImportedAfterTheLossStays) {
    const std::string before = said();
    fs::remove(database());
    import("new", {"e"});
    EXPECT_EQ(Store::rebuild(root()).images, 4u);
    open().remove_images({"new"});
    EXPECT_EQ(said(), before);
}

TEST_F(RebuildTest, UntilThenNothingIsRemoved) {
    fs::remove(database());
    import("new", {"e"});
    for (const char* snapshot : {"web", "db"})
        fs::rename(root() + "/snapshots/" + snapshot, dir_.path() + "/" + snapshot);
    try {
        open().collect({}, nothing_);
        ADD_FAILURE() << "it was removed";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("shale store rebuild"), std::string::npos) << error.what();
    }
}

TEST_F(RebuildTest, ASnapshotWithoutItsFileIsTold) {
    fs::remove(database());
    fs::remove(root() + "/snapshots/web/snapshot.json");
    const Rebuilt rebuilt = Store::rebuild(root());
    ASSERT_EQ(rebuilt.problems.size(), 1u);
    EXPECT_NE(rebuilt.problems[0].find("snapshots/web/snapshot.json"), std::string::npos);
    EXPECT_EQ(rebuilt.snapshots, 1u);
}

TEST_F(RebuildTest, AViewComesBackAsOne) {
    open().view("look", "one");
    const std::string before = said();
    EXPECT_NE(before.find(" view\n"), std::string::npos);
    fs::remove(database());
    EXPECT_EQ(Store::rebuild(root()).snapshots, 3u);
    EXPECT_EQ(said(), before);
}

TEST_F(RebuildTest, AnImageFileOfNoSenseIsTold) {
    fs::remove(database());
    write_file(root() + "/images/" + image_files().front(), "{\"version\": 1}");
    EXPECT_GE(Store::rebuild(root()).problems.size(), 1u);
    write_file(root() + "/images/" + image_files().front(), "{\"version\": 2}");
    EXPECT_NE(Store::rebuild(root()).problems.at(0).find("newer shale"), std::string::npos);
}

TEST_F(RebuildTest, WhileSomethingIsAtWorkItIsRefused) {
    const Store store = open();
    const UseLock held = store.hold();
    EXPECT_THROW(Store::rebuild(root()), Error);
}

TEST_F(RebuildTest, ACrashBetweenFilesAndDatabaseIsUndone) {
    const std::string before = said();
    const std::vector<std::string> files = image_files();
    // What somebody leaves who dies before the commit: his mark, a file of an image that is none, and none of one
    // that is.
    write_file(root() + "/images/.unsettled-1", "ghost\none\n");
    const std::string one = root() + "/images/" + Digest::of("one").hex() + ".json";
    const std::string ghost = root() + "/images/" + Digest::of("ghost").hex() + ".json";
    std::string text = read_file(one);
    text.replace(text.find("\"one\""), 5, "\"ghost\"");
    write_file(ghost, text);
    fs::remove(one);

    open().prepare("next", "one");
    EXPECT_EQ(image_files(), files);
    open().remove_snapshot("next", nothing_);
    fs::remove(database());
    Store::rebuild(root());
    EXPECT_EQ(said(), before);
}

TEST_F(RebuildTest, AMarkMeansNothingToADatabaseThatWasLost) {
    const std::string before = said();
    write_file(root() + "/images/.unsettled-1", "one\n");
    fs::remove(database());
    Store::rebuild(root());
    EXPECT_EQ(said(), before);
}

TEST_F(RebuildTest, AStoreOfVersion2GetsItsFiles) {
    const std::string before = said();
    {
        Database old(database());
        old.execute("UPDATE layers SET tree = ''; ALTER TABLE layers DROP COLUMN tree; "
                    "ALTER TABLE snapshots DROP COLUMN is_view; PRAGMA user_version = 2");
    }
    fs::remove_all(root() + "/images");
    fs::remove(root() + "/snapshots/web/snapshot.json");
    const std::string migrated = said();
    fs::remove(database());
    EXPECT_TRUE(Store::rebuild(root()).problems.empty());
    EXPECT_EQ(said(), migrated);
    EXPECT_NE(said(), before); // what the layers held is not known any more
}

TEST_F(RebuildTest, AnEmptyDirectoryThatACrashLeftIsNoObstacle) {
    fs::create_directories(root() + "/snapshots/left/upper");
    fs::create_directories(root() + "/snapshots/left/work");
    write_file(root() + "/snapshots/left/snapshot.json", "{}");
    EXPECT_NO_THROW(open().prepare("left", "one"));
    EXPECT_NE(read_file(root() + "/snapshots/left/snapshot.json"), "{}");
}

TEST_F(RebuildTest, UnusedImagesArePruned) {
    CollectOptions options;
    options.unused_images = true;
    options.only_look = true;
    const std::string before = said();
    const auto looked = open().collect(options, nothing_);
    ASSERT_TRUE(looked);
    EXPECT_EQ(looked->images, std::vector<std::string>{"again"});
    EXPECT_TRUE(looked->layers.empty());
    EXPECT_EQ(said(), before);

    open().remove_snapshot("db", nothing_);
    options.only_look = false;
    const std::string mounted = open().layer_path(open().image("one").layers.back());
    const auto pruned = open().collect(options, [&](const std::string& path) { return path == mounted; });
    ASSERT_TRUE(pruned);
    EXPECT_EQ(pruned->images, std::vector<std::string>{"registry:5000/two/2"}); // the others are mounted
    EXPECT_EQ(pruned->layers.size(), 1u);
    EXPECT_GT(pruned->layer_bytes, 0u);
    EXPECT_EQ(pruned->blobs.size(), 3u);
    EXPECT_EQ(pruned->trees.size(), 1u);
    EXPECT_EQ(image_files().size(), 2u);
}

TEST_F(RebuildTest, UsageCountsWhatIsSharedOnce) {
    write_file(open().snapshot("db").upper + "/changed", std::string(100000, 'x'));
    const auto is_web = [](const std::string& upper) { return upper.find("/web/") != std::string::npos; };
    const StoreUsage usage = open().usage(nothing_, is_web, progress_);
    EXPECT_EQ(usage.images.count, 3u);
    EXPECT_EQ(usage.images.active, 2u);
    EXPECT_EQ(usage.layers.count, 3u);
    EXPECT_EQ(usage.layers.active, 3u);
    EXPECT_GT(usage.layers.bytes, usage.layers.shared);
    EXPECT_GT(usage.layers.shared, 0u);
    EXPECT_EQ(usage.images.bytes, usage.layers.bytes);
    EXPECT_EQ(usage.images.reclaimable, 0u);
    EXPECT_EQ(usage.layers.reclaimable, 0u);
    EXPECT_EQ(usage.blobs.count, 3u + 2u * 2u);
    EXPECT_EQ(usage.snapshots.count, 2u);
    EXPECT_EQ(usage.snapshots.active, 1u);
    EXPECT_GT(usage.snapshots.reclaimable, 0u);
    EXPECT_GT(usage.snapshots.bytes, usage.snapshots.reclaimable);
}

} // namespace shale::test
