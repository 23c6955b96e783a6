// SPDX-License-Identifier: GPL-2.0-or-later
//
// The store over time: images that come again, interruptions, neighbours, writable layers.
#include "store/store.hpp"

#include <atomic>
#include <filesystem>
#include <thread>

#include <fcntl.h>

#include "base/error.hpp"
#include "store/staging.hpp"
#include "support/store_fixture.hpp"

namespace fs = std::filesystem;

namespace shale::test {

#define EXPECT_SAYS(message, part) EXPECT_NE((message).find(part), std::string::npos) << (message)

namespace {

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "(accepted)";
}

bool not_mounted(const std::string&) {
    return false;
}

} // namespace

class StoreLifeTest : public StoreTest {
protected:
    /// Adds a layer with one file to the image under construction.
    void add_layer(const std::string& name) {
        TarBuilder tar;
        tar.directory("./", 0755).file(name, name);
        image_.layer(tar.finish());
    }

    ImageRecord import(const std::string& tag, const std::string& name = "") {
        return open().import_layout(image_.path(), tag, name, progress_);
    }
};

TEST_F(StoreLifeTest, TheStoreIsReachableByItsOwnerOnly) {
    fs::create_directory(root());
    fs::permissions(root(), fs::perms::all);
    open();
    for (const char* name : {"/layers", "/snapshots", "/staging"})
        EXPECT_EQ(stat_of_path(root() + name).st_mode & 0777u, 0700u) << name;
    EXPECT_EQ(stat_of_path(root() + "/shale.db").st_mode & 0777u, 0600u);

    Store::open(dir_.path() + "/some/where/new");
    EXPECT_EQ(stat_of_path(dir_.path() + "/some/where/new").st_mode & 0777u, 0700u);
}

TEST_F(StoreLifeTest, AnImageIsWhatWasImportedEvenAfterReopening) {
    add_layer("a");
    add_layer("b");
    const Digest manifest = image_.tag("debian:12");
    import("debian:12");

    const ImageRecord image = open().image("debian:12");
    EXPECT_EQ(image.manifest_digest, manifest);
    EXPECT_SAYS(image.config, "diff_ids");
    ASSERT_EQ(image.layers.size(), 2u);
    EXPECT_EQ(image.layers[0].chain_id, image.layers[0].diff_id);
    EXPECT_EQ(image.layers[1].chain_id,
              Digest::of(image.layers[0].diff_id.text() + " " + image.layers[1].diff_id.text()));
    EXPECT_GT(image.size, 0u);
    const std::vector<std::string> paths = open().layer_paths(image);
    ASSERT_EQ(paths.size(), 2u);
    EXPECT_TRUE(exists(paths[0] + "/b"));
    EXPECT_TRUE(exists(paths[1] + "/a"));
    EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
}

TEST_F(StoreLifeTest, AnImageWithoutTagIsCalledAsItsDirectory) {
    add_layer("a");
    image_.tag("");
    EXPECT_EQ(import("").name, "layout");
    EXPECT_EQ(open().import_layout(image_.path() + "/", "", "", progress_).name, "layout");
    EXPECT_EQ(import("", "given").name, "given");
}

TEST_F(StoreLifeTest, NamesThatCannotBeTypedAreRefused) {
    add_layer("a");
    image_.tag("two words");
    EXPECT_SAYS(message_of([&] { import(""); }), "--name");
    EXPECT_SAYS(message_of([&] { import("", "-x"); }), "--name");
    EXPECT_EQ(import("", "fine").name, "fine");
}

TEST_F(StoreLifeTest, LayersThatAreThereAreNotReadAgain) {
    add_layer("a");
    image_.tag("one");
    import("one");
    add_layer("a");
    add_layer("b");
    image_.tag("two");
    const Digest shared = import("two").layers[0].blob;
    EXPECT_EQ(progress_.reused, 1u);
    EXPECT_EQ(names_in(root() + "/layers").size(), 2u);

    fs::remove(image_.blob_path(shared));
    import("two");
    EXPECT_EQ(progress_.reused, 3u);
}

TEST_F(StoreLifeTest, ALayerWhoseDirectoryIsGoneIsMadeAgain) {
    add_layer("a");
    image_.tag("one");
    const std::string path = open().layer_paths(import("one")).front();
    fs::remove_all(path);
    import("one");
    EXPECT_EQ(read_file(path + "/a"), "a");
}

TEST_F(StoreLifeTest, ALayerThatACrashPublishedWithoutRecordIsTakenUp) {
    add_layer("a");
    image_.tag("one");
    import("one");
    fs::remove(root() + "/shale.db");
    import("one");
    EXPECT_EQ(names_in(root() + "/layers").size(), 1u);
    EXPECT_EQ(open().images().size(), 1u);
    EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
}

TEST_F(StoreLifeTest, ANameMovesToAnotherImageUnlessAWritableLayerStandsOnIt) {
    add_layer("a");
    image_.tag("one");
    add_layer("b");
    const Digest two = image_.tag("two");
    import("one", "name");
    import("two", "name");
    EXPECT_EQ(open().image("name").manifest_digest, two);
    EXPECT_EQ(open().images().size(), 1u);

    open().prepare("writable", "name");
    EXPECT_SAYS(message_of([&] { import("one", "name"); }),
                "carries the writable layer 'writable'");
    EXPECT_EQ(open().image("name").manifest_digest, two);
    EXPECT_NO_THROW(import("two", "name"));
    open().remove_snapshot("writable", not_mounted);
    EXPECT_NO_THROW(import("one", "name"));
}

TEST_F(StoreLifeTest, AnInterruptedImportLeavesNothingWhereverItStops) {
    TarBuilder tar;
    for (int i = 0; i < 20; i++)
        tar.file("d" + std::to_string(i) + "/f", std::string(300000, 'x'));
    image_.layer(tar.finish());
    add_layer("b");
    image_.tag("one");
    for (const size_t after : {0, 1, 5, 30, 40}) {
        progress_.asked = 0;
        progress_.cancel_after = after;
        EXPECT_THROW(import("one"), Cancelled) << after;
        expect_nothing_left();
    }
    progress_.cancel_after = SIZE_MAX;
    EXPECT_NO_THROW(import("one"));
}

TEST_F(StoreLifeTest, WhatACrashLeftIsCleanedUpAndWhatANeighbourUsesIsNot) {
    open();
    fs::create_directories(root() + "/staging/12345-0/half/a/layer");
    write_file(root() + "/staging/stray", "x");
    const UniqueFd fd(::open(root().c_str(), O_RDONLY | O_DIRECTORY));
    const Staging neighbour(fd.get());
    write_file("/proc/self/fd/" + std::to_string(neighbour.fd()) + "/mine", "x");

    add_layer("a");
    image_.tag("one");
    import("one");

    ASSERT_EQ(names_in(root() + "/staging").size(), 1u);
    EXPECT_TRUE(exists(root() + "/staging/" + names_in(root() + "/staging")[0] + "/mine"));
}

TEST_F(StoreLifeTest, ImportsOfTheSameImageAtOnceAllSucceed) {
    for (int i = 0; i < 5; i++)
        add_layer("layer" + std::to_string(i));
    image_.tag("one");
    open();
    std::vector<std::thread> threads;
    std::vector<std::string> messages(4);
    for (size_t i = 0; i < messages.size(); i++)
        threads.emplace_back([&, i] {
            Progress quiet;
            messages[i] = message_of([&] {
                open().import_layout(image_.path(), "one", "name" + std::to_string(i), quiet);
            });
        });
    for (std::thread& thread : threads)
        thread.join();
    for (const std::string& message : messages)
        EXPECT_EQ(message, "(accepted)");
    EXPECT_EQ(names_in(root() + "/layers").size(), 5u);
    EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
    EXPECT_EQ(open().images().size(), 4u);
}

TEST_F(StoreLifeTest, AWritableLayerLooksLikeTheRootOfItsImage) {
    TarBuilder tar;
    tar.directory("./", 01770, [](archive_entry* entry) {
        with_owner(3, 4)(entry);
        with_xattr("user.note", "root")(entry);
    });
    image_.layer(tar.finish());
    image_.tag("one");
    import("one");
    const SnapshotRecord snapshot = open().prepare_or_take_up("web", "one");

    EXPECT_EQ(snapshot.upper, root() + "/snapshots/web/upper");
    EXPECT_EQ(snapshot.work, root() + "/snapshots/web/work");
    EXPECT_EQ(stat_of_path(snapshot.upper).st_mode & 07777u, 01770u);
    EXPECT_EQ(stat_of_path(snapshot.upper).st_uid, 3u);
    EXPECT_EQ(xattr_of(snapshot.upper, "user.note"), "root");
    EXPECT_EQ(names_in(snapshot.work), std::vector<std::string>{});
}

TEST_F(StoreLifeTest, AWritableLayerIsTakenUpAgainByTheSameImageOnly) {
    add_layer("a");
    image_.tag("one");
    import("one");
    import("one", "other");
    write_file(open().prepare_or_take_up("web", "one").upper + "/kept", "x");

    EXPECT_EQ(read_file(open().prepare_or_take_up("web", "one").upper + "/kept"), "x");
    EXPECT_SAYS(message_of([&] { open().prepare_or_take_up("web", "other"); }), "belongs to image 'one'");
    EXPECT_SAYS(message_of([&] { open().prepare("new", "missing"); }), "not in the store");
    EXPECT_SAYS(message_of([&] { open().prepare("web", "one"); }), "exists already");
    for (const char* name : {"", "..", ".x", "a/b", "-x"})
        EXPECT_SAYS(message_of([&] { open().prepare(name, "one"); }), "not usable");
    EXPECT_EQ(open().snapshots().size(), 1u);
    EXPECT_EQ(open().snapshot("web").image, "one");

    const std::string upper = open().snapshot("web").upper;
    EXPECT_FALSE(open().remove_snapshot("web", [&](const std::string& path) { return path == upper; }));
    EXPECT_TRUE(exists(upper + "/kept"));
    EXPECT_TRUE(open().remove_snapshot("web", not_mounted));
    EXPECT_FALSE(exists(root() + "/snapshots/web"));
    EXPECT_SAYS(message_of([&] { open().remove_snapshot("web", not_mounted); }), "not in the store");
}

TEST_F(StoreLifeTest, AViewIsASnapshotThatNothingIsWrittenTo) {
    TarBuilder tar;
    tar.directory("./", 0711, with_owner(3, 4)).file("a");
    image_.layer(tar.finish());
    image_.tag("one");
    import("one");
    const SnapshotRecord view = open().view("look", "one");

    EXPECT_TRUE(view.is_view);
    EXPECT_EQ(view.upper + view.work, "");
    EXPECT_EQ(view.top(), root() + "/snapshots/look/view");
    EXPECT_EQ(stat_of_path(view.view).st_mode & 07777u, 0711u);
    EXPECT_EQ(stat_of_path(view.view).st_uid, 3u);
    EXPECT_EQ(names_in(root() + "/snapshots/look"), (std::vector<std::string>{"snapshot.json", "view"}));
    std::vector<std::string> lowers = open().layer_paths(open().image("one"));
    lowers.insert(lowers.begin(), view.view);
    EXPECT_EQ(open().lower_paths(open().snapshot("look")), lowers);
}

TEST_F(StoreLifeTest, AViewKeepsItsImageAndNameAndIsNotCommitted) {
    add_layer("a");
    image_.tag("one");
    import("one");
    open().view("look", "one");

    EXPECT_SAYS(message_of([&] { open().remove_images({"one"}); }), "carries the view 'look'");
    EXPECT_SAYS(message_of([&] { open().view("look", "one"); }), "view 'look': exists already");
    EXPECT_SAYS(message_of([&] { open().prepare("look", "one"); }), "view 'look': exists already");
    EXPECT_SAYS(message_of([&] { open().prepare_or_take_up("look", "one"); }), "not written to");
    CommitOptions options;
    options.image = "new";
    const UpperAccess access{[](const std::string&) { return nullptr; }, not_mounted};
    EXPECT_SAYS(message_of([&] { open().commit_snapshot("look", options, access, progress_); }), "not written to");
    EXPECT_SAYS(message_of([&] { open().write_changes("look", {}, access, [](auto) {}, progress_); }), "not written to");

    const std::string top = open().snapshot("look").top();
    EXPECT_FALSE(open().remove_snapshot("look", [&](const std::string& path) { return path == top; }));
    EXPECT_TRUE(open().remove_snapshot("look", not_mounted));
    EXPECT_FALSE(exists(root() + "/snapshots/look"));
    EXPECT_NO_THROW(open().remove_images({"one"}));
}

TEST_F(StoreLifeTest, WhatACrashLeftOfAViewIsNoObstacle) {
    add_layer("a");
    image_.tag("one");
    import("one");
    fs::create_directories(root() + "/snapshots/look/view");
    write_file(root() + "/snapshots/look/snapshot.json", "{}");
    EXPECT_NO_THROW(open().collect({}, not_mounted));
    EXPECT_NO_THROW(open().view("look", "one"));
}

TEST_F(StoreLifeTest, AWritableLayerThatIsBeingMountedIsRemovedAfterThatOnly) {
    add_layer("a");
    image_.tag("one");
    import("one");
    open().prepare_or_take_up("web", "one");
    std::atomic<bool> asked = false;
    std::optional<UseLock> mounting = open().hold_snapshots();
    std::thread other([&] {
        open().remove_snapshot("web", [&](const std::string&) {
            asked = true;
            return true;
        });
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(asked);
    mounting.reset();
    other.join();
    EXPECT_TRUE(asked);
}

TEST_F(StoreLifeTest, AWritableLayerTheDatabaseDoesNotKnowIsNeverOverwritten) {
    add_layer("a");
    image_.tag("one");
    import("one");
    fs::create_directories(root() + "/snapshots/empty/upper");
    fs::create_directories(root() + "/snapshots/full/upper");
    write_file(root() + "/snapshots/full/upper/precious", "x");

    EXPECT_NO_THROW(open().prepare("empty", "one"));
    EXPECT_SAYS(message_of([&] { open().prepare("full", "one"); }), "is in the way");
    EXPECT_TRUE(exists(root() + "/snapshots/full/upper/precious"));
    EXPECT_EQ(open().snapshots().size(), 1u);
}

TEST_F(StoreLifeTest, AWritableLayerThatLostItsDirectorySaysSo) {
    add_layer("a");
    image_.tag("one");
    import("one");
    open().prepare_or_take_up("web", "one");
    fs::remove_all(root() + "/snapshots/web");
    EXPECT_SAYS(message_of([&] { open().prepare_or_take_up("web", "one"); }), "shale snapshot rm web");
    EXPECT_TRUE(open().remove_snapshot("web", [](const std::string&) { return false; }));
    EXPECT_NO_THROW(open().prepare_or_take_up("web", "one"));
}

TEST_F(StoreLifeTest, ADatabaseOfANewerVersionIsLeftAlone) {
    open();
    Database(root() + "/shale.db").execute("PRAGMA user_version = 99");
    EXPECT_SAYS(message_of([&] { open(); }), "written by a newer shale (schema 99)");
}

} // namespace shale::test
