// SPDX-License-Identifier: GPL-2.0-or-later
//
// Layers of a store one by one: found, merged, and made to share what is equal in them.
#include <filesystem>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "support/store_fixture.hpp"
#include "tree/changes.hpp"

namespace fs = std::filesystem;

namespace shale::test {

#define EXPECT_SAYS(message, part) EXPECT_NE(std::string(message).find(part), std::string::npos) << (message)

class Silent : public StoreObserver {
public:
    void begin(const std::string&, uint64_t) override {}
    void found(const StoreFinding& finding) override {
        ADD_FAILURE() << finding.path << ": " << finding.expected << " | " << finding.seen;
    }
};

class LayerTest : public StoreTest {
protected:
    ImageRecord import(const std::string& name) {
        image_.tag(name);
        return open().import_layout(image_.path(), name, name, progress_);
    }

    template <typename Operation> std::string message_of(Operation operation) {
        try {
            operation();
        } catch (const Error& error) {
            return error.what();
        }
        return "(accepted)";
    }

    /// Three layers with all that one can say of those below.
    ImageRecord import_three() {
        TarBuilder bottom, middle, top;
        bottom.directory("./", 0750, with_owner(7, 8)).directory("d").file("d/hidden", "1").file("d/kept", "1");
        bottom.directory("remade").file("remade/old", "1").file("plain", "1").file("a", "linked").hard_link("b", "a");
        bottom.file("becomes-directory", "1").directory("becomes-file").file("becomes-file/x", "1");
        middle.directory("d", 0700).file("d/.wh.hidden").file("d/middle", "2");
        middle.directory("remade").file("remade/.wh..wh..opq").file("remade/new", "2").file(".wh.plain");
        middle.file("middle-only", "2").file("m1", "2").hard_link("m2", "m1").directory("empty", 01777, with_time(77, 5));
        middle.file(".wh.becomes-directory").directory("becomes-directory").file("becomes-directory/x", "2");
        middle.file(".wh.becomes-file").file("becomes-file", "2", 04755, with_xattr("user.color", "red"));
        top.file(".wh.middle-only").file("d/middle", "3").file("plain", "3").file(".wh.b").symlink("link", "plain");
        for (TarBuilder* tar : {&bottom, &middle, &top})
            image_.layer(tar->finish());
        return import("three");
    }

    ImageRecord merge(const std::string& name, size_t from = 1, size_t to = 0, const std::string& of = "three") {
        MergeOptions options;
        options.image = of;
        options.name = name;
        options.from = from;
        options.to = to;
        const ImageRecord image = open().merge_layers(options, progress_);
        EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
        Silent silent;
        EXPECT_EQ(open().verify_images({name}, 2, silent, progress_).findings, 0u);
        const auto told = nlohmann::json::parse(image.config)["rootfs"]["diff_ids"];
        EXPECT_EQ(told.size(), image.layers.size());
        for (size_t i = 0; i < image.layers.size(); ++i)
            EXPECT_EQ(told[i], image.layers[i].diff_id.text());
        return image;
    }

    tree::Union shown(const ImageRecord& image) { return tree::Union(tree::open_layers(open().layer_paths(image))); }

    /// Compared in whole, the times of directories as well, and which names are one file.
    void expect_same(const ImageRecord& one, const ImageRecord& other) {
        EXPECT_EQ(tree::changes(shown(one), shown(other)), std::vector<tree::Change>{});
        EXPECT_EQ(described(one), described(other));
    }

    std::map<std::string, std::string> described(const ImageRecord& image) {
        std::map<std::string, std::string> all;
        std::map<tree::Identity, std::string> first;
        tree::walk(shown(image), [&](const std::string& path, const tree::Object& object) {
            all[path] = std::to_string(object.st.st_mode) + " " + std::to_string(object.st.st_mtim.tv_sec) + "." +
                        std::to_string(object.st.st_mtim.tv_nsec) + " " +
                        first.emplace(tree::identity_of(object.st), path).first->second;
        });
        return all;
    }

    const std::function<IsMounted()> nothing_ = [] { return [](const std::string&) { return false; }; };

    Dedup dedup(bool only_look = false) { return dedup(nothing_, only_look); }

    Dedup dedup(const std::function<IsMounted()>& mounted, bool only_look = false) {
        const Dedup result = open().dedup({.hard_links = true, .only_look = only_look}, mounted, progress_);
        EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
        Silent silent;
        EXPECT_EQ(open().verify_images({}, 2, silent, progress_).findings, 0u);
        return result;
    }

    std::string layer(const std::string& image, size_t number) {
        return open().layer_path(open().image(image).layers.at(number - 1));
    }
};

TEST_F(LayerTest, AreFoundByDigestsAndNumbers) {
    const ImageRecord image = import_three();
    open().tag_image("three", "reg:5000/other:1");
    const LayerRecord& second = image.layers[1];
    Store store = open();
    for (const std::string& text : {second.diff_id.text(), second.diff_id.hex(), second.diff_id.hex().substr(0, 12),
                                    second.chain_id.text().substr(0, 20), std::string("three:2"), std::string("reg:5000/other:1:2")})
        EXPECT_EQ(store.layer(text).record.chain_id, second.chain_id) << text;
    EXPECT_SAYS(message_of([&] { store.layer("three:4"); }), "has only 3");
    EXPECT_SAYS(message_of([&] { store.layer("three:0"); }), "not in the store");
    EXPECT_SAYS(message_of([&] { store.layer("sha256:"); }), "may be sha256:");
    EXPECT_SAYS(message_of([&] { store.layer("nosuch"); }), "shale layer ls");
    EXPECT_SAYS(message_of([&] { store.layer(""); }), "not in the store");
}

TEST_F(LayerTest, AreListedWithWhoHasThem) {
    const ImageRecord image = import_three();
    open().tag_image("three", "other");
    open().prepare("web", "other");
    open().view("look", "three");
    fs::create_directory(root() + "/layers/" + std::string(64, '7'));
    const auto layers = open().layers();
    ASSERT_EQ(layers.size(), 4u);
    for (size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(layers[i].record.chain_id, image.layers[i].chain_id);
        EXPECT_EQ(layers[i].path, open().layer_path(image.layers[i]));
        ASSERT_EQ(layers[i].uses.size(), 2u);
        EXPECT_EQ(layers[i].uses[0].number, i + 1);
        EXPECT_EQ(layers[i].snapshots, (std::vector<std::string>{"look", "web"}));
        ASSERT_EQ(layers[i].below.size(), i);
    }
    EXPECT_EQ(layers[2].below[0], image.layers[1].chain_id);
    EXPECT_TRUE(layers[3].uses.empty());
    EXPECT_TRUE(layers[3].record.diff_id.empty());
}

TEST_F(LayerTest, AllMergedShowTheSame) {
    const ImageRecord three = import_three();
    const ImageRecord one = merge("one");
    ASSERT_EQ(one.layers.size(), 1u);
    expect_same(three, one);
    const std::string path = open().layer_path(one.layers[0]);
    EXPECT_FALSE(exists(path + "/middle-only"));
    EXPECT_FALSE(exists(path + "/b"));
    EXPECT_FALSE(is_opaque(path + "/remade"));
    EXPECT_EQ(stat_of_path(path).st_uid, 7u);
    EXPECT_EQ(open().image("three").manifest_digest, three.manifest_digest);
}

TEST_F(LayerTest, SomeMergedShowTheSameAndHideTheSame) {
    const ImageRecord three = import_three();
    const ImageRecord upper = merge("upper", 2, 3);
    ASSERT_EQ(upper.layers.size(), 2u);
    EXPECT_EQ(upper.layers[0].chain_id, three.layers[0].chain_id);
    expect_same(three, upper);
    const std::string path = open().layer_path(upper.layers[1]);
    EXPECT_TRUE(is_whiteout(path + "/d/hidden"));
    EXPECT_TRUE(is_whiteout(path + "/b"));
    EXPECT_TRUE(is_opaque(path + "/remade"));
    EXPECT_FALSE(exists(path + "/middle-only"));
    EXPECT_EQ(stat_of_path(path + "/m1").st_ino, stat_of_path(path + "/m2").st_ino);

    const ImageRecord lower = merge("lower", 1, 2);
    ASSERT_EQ(lower.layers.size(), 2u);
    EXPECT_EQ(lower.layers[1].diff_id, three.layers[2].diff_id);
    EXPECT_NE(lower.layers[1].chain_id, three.layers[2].chain_id);
    expect_same(three, lower);
}

TEST_F(LayerTest, TheSameLayersMergedAreTheSameImage) {
    import_three();
    const ImageRecord one = merge("one", 2, 3), again = merge("again", 2, 3);
    EXPECT_EQ(one.manifest_digest, again.manifest_digest);
    EXPECT_EQ(merge("squashed").layers[0].diff_id, merge("squashed-twice", 1, 0, "one").layers[0].diff_id);
}

TEST_F(LayerTest, ARootThatHidesAllBelowIsKept) {
    for (const int number : {1, 2, 3, 4}) {
        TarBuilder tar;
        tar.directory("./", 0711).directory("d").file("d/f" + std::to_string(number), "x");
        if (number == 2)
            tar.file(".wh..wh..opq");
        image_.layer(tar.finish());
    }
    const ImageRecord four = import("four");
    ASSERT_EQ(open().layer_paths(four).size(), 3u);
    expect_same(four, merge("whole", 1, 4, "four"));
    expect_same(four, merge("hiding", 2, 3, "four"));
    expect_same(four, merge("from-hidden", 1, 3, "four"));
    expect_same(four, merge("hidden-two", 1, 2, "four"));
    expect_same(four, merge("above", 3, 4, "four"));
}

TEST_F(LayerTest, WhatCanNotBeMergedIsRefused) {
    import_three();
    const auto refusal = [&](const std::string& image, const std::string& name, size_t from, size_t to) {
        MergeOptions options;
        options.image = image;
        options.name = name;
        options.from = from;
        options.to = to;
        const std::string message = message_of([&] { open().merge_layers(options, progress_); });
        EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
        return message;
    };
    EXPECT_SAYS(refusal("three", "new", 1, 4), "no layer 4");
    EXPECT_SAYS(refusal("three", "new", 2, 2), "are not several");
    EXPECT_SAYS(refusal("three", "new", 3, 0), "are not several");
    EXPECT_SAYS(refusal("nosuch", "new", 1, 0), "not in the store");
    EXPECT_SAYS(refusal("three", "-", 1, 0), "not usable");
    merge("one");
    EXPECT_SAYS(refusal("one", "new", 1, 0), "no two layers");
    open().prepare("web", "one");
    EXPECT_SAYS(refusal("three", "one", 2, 3), "carries the writable layer 'web'");
    open().collect({.all_blobs = true}, [](const std::string&) { return false; });
    EXPECT_SAYS(refusal("three", "new", 1, 0), "import image 'three' again");
    EXPECT_EQ(open().images().size(), 2u);
}

TEST_F(LayerTest, EqualFilesOfSeveralLayersBecomeOne) {
    const std::string content(100000, 'x');
    for (const char* own : {"one", "two", "three"}) {
        TarBuilder tar;
        tar.directory("./").directory("d", 0755, with_time(5, 6)).file("d/same", content).file("d/empty");
        tar.file("d/mode", content, own == std::string("two") ? 0600 : 0644);
        tar.file("d/time", content, 0644, with_time(own == std::string("two") ? 1 : 2, 0));
        tar.file("d/xattr", content, 0644, with_xattr("user.of", own)).file(own, content);
        tar.file("l1", content).hard_link("l2", "l1");
        image_.layer(tar.finish());
        import(own);
    }
    const Dedup looked = dedup(true);
    EXPECT_EQ(looked.linked.files, 6u); // same and empty, twice; mode and time, once
    EXPECT_NE(stat_of_path(layer("one", 1) + "/d/same").st_ino, stat_of_path(layer("two", 1) + "/d/same").st_ino);

    const Dedup done = dedup();
    EXPECT_EQ(done.linked.files, looked.linked.files);
    EXPECT_GE(done.linked.bytes, 4 * content.size());
    EXPECT_EQ(done.different, 0u);
    EXPECT_TRUE(done.kept.empty());
    const auto number = [&](const std::string& image, const std::string& file) {
        return stat_of_path(layer(image, 1) + file).st_ino;
    };
    for (const char* file : {"/d/same", "/d/empty"}) {
        EXPECT_EQ(number("one", file), number("two", file)) << file;
        EXPECT_EQ(number("one", file), number("three", file)) << file;
    }
    EXPECT_EQ(number("one", "/d/mode"), number("three", "/d/mode"));
    EXPECT_EQ(number("one", "/d/time"), number("three", "/d/time"));
    for (const char* file : {"/d/mode", "/d/time", "/d/xattr", "/l1", "/l2"})
        EXPECT_NE(number("one", file), number("two", file)) << file;
    EXPECT_EQ(number("one", "/l1"), number("one", "/l2"));
    EXPECT_EQ(stat_of_path(layer("one", 1) + "/d").st_mtim.tv_nsec, 6);

    const Dedup again = dedup();
    EXPECT_EQ(again.linked.files, 0u);
    EXPECT_EQ(again.linked_before.files, 6u);
}

TEST_F(LayerTest, WhatIsInUseKeepsItsFiles) {
    for (const char* own : {"one", "two", "three", "four"}) {
        TarBuilder tar;
        tar.directory("./").file("same", "x").file(own);
        image_.layer(tar.finish());
        import(own);
    }
    open().prepare("web", "one");
    open().view("look", "three");
    const std::string mounted = layer("two", 1);
    const auto is_mounted = [&] { return [&](const std::string& path) { return path == mounted; }; };
    std::map<std::string, struct stat> before;
    for (const char* image : {"one", "two", "three", "four"})
        before[image] = stat_of_path(layer(image, 1) + "/same");

    const Dedup done = dedup(is_mounted);
    EXPECT_EQ(done.linked.files, 1u);
    ASSERT_EQ(done.kept.size(), 2u);
    for (const char* image : {"one", "two"}) {
        const struct stat after = stat_of_path(layer(image, 1) + "/same");
        EXPECT_EQ(after.st_ino, before[image].st_ino);
        EXPECT_EQ(after.st_nlink, 1u);
        EXPECT_EQ(after.st_ctim.tv_nsec, before[image].st_ctim.tv_nsec);
    }
    EXPECT_EQ(stat_of_path(layer("three", 1) + "/same").st_ino, stat_of_path(layer("four", 1) + "/same").st_ino);
}

TEST_F(LayerTest, WhatIsMountedMeanwhileKeepsItsFilesToo) {
    for (const char* own : {"one", "two"}) {
        TarBuilder tar;
        tar.directory("./").file("same", "x").file(own);
        image_.layer(tar.finish());
        import(own);
    }
    int asked = 0;
    const auto later = [&] { return [now = ++asked > 1](const std::string&) { return now; }; };
    EXPECT_EQ(dedup(later).linked.files, 0u);
    EXPECT_EQ(asked, 2);
    const Store store = open();
    const UseLock held = store.hold();
    EXPECT_SAYS(message_of([&] { dedup(); }), "try again");
}

TEST_F(LayerTest, ALinkedStoreIsMeasuredAndCollectedAsOthers) {
    const std::string content(1000000, 'x');
    for (const char* own : {"one", "two"}) {
        TarBuilder tar;
        tar.directory("./").file("same", content).file(own);
        image_.layer(tar.finish());
        import(own);
    }
    const auto nothing = [](const std::string&) { return false; };
    open().prepare("web", "one");
    const StoreUsage before = open().usage(nothing, nothing, progress_);
    open().remove_snapshot("web", nothing);
    dedup();
    open().prepare("web", "one");
    const StoreUsage after = open().usage(nothing, nothing, progress_);
    EXPECT_LE(after.layers.bytes + content.size(), before.layers.bytes);
    EXPECT_LE(after.images.reclaimable + content.size(), before.images.reclaimable); // the other image has it, too
    EXPECT_GE(after.images.shared, content.size());
    EXPECT_EQ(after.layers.count, 2u);

    open().remove_images({"two"});
    const auto garbage = open().collect({}, nothing);
    ASSERT_TRUE(garbage);
    EXPECT_EQ(garbage->layers.size(), 1u);
    EXPECT_EQ(read_file(layer("one", 1) + "/same"), content);
    Silent silent;
    EXPECT_EQ(open().verify_images({}, 2, silent, progress_).findings, 0u);
}

TEST_F(LayerTest, WhatIsNotAsListedIsNotShared) {
    for (const char* own : {"one", "two"}) {
        TarBuilder tar;
        tar.directory("./").file("same", "right").file(own);
        image_.layer(tar.finish());
        import(own);
    }
    const std::string path = layer("two", 1) + "/same";
    const struct stat st = stat_of_path(path);
    write_file(path, "wrong");
    const struct timespec times[] = {st.st_mtim, st.st_mtim};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    const Dedup done = open().dedup({.hard_links = true}, nothing_, progress_);
    EXPECT_EQ(done.linked.files, 0u);
    EXPECT_EQ(done.different, 1u);
    EXPECT_EQ(read_file(path), "wrong");
}

} // namespace shale::test
