// SPDX-License-Identifier: GPL-2.0-or-later
//
// That verifying finds whatever becomes of a layer's directory or of a blob, names it, and finds nothing else.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.hpp"
#include "store/database.hpp"
#include "store/layer_tree.hpp"
#include "support/store_fixture.hpp"

namespace fs = std::filesystem;

namespace shale::test {

class Findings : public StoreObserver {
public:
    void begin(const std::string&, uint64_t) override {}
    void found(const StoreFinding& finding) override {
        texts.push_back(finding.path + ": " + finding.expected + " | " + finding.seen);
        all.push_back(finding);
    }

    std::vector<std::string> texts;
    std::vector<StoreFinding> all;
};

class ImageVerifyTest : public StoreTest {
protected:
    void SetUp() override {
        StoreTest::SetUp();
        if (IsSkipped())
            return;
        TarBuilder lower;
        lower.directory("./").directory("etc/", 0755, with_time(5, 0)).file("etc/name", "lower").file("gone", "x");
        image_.layer(lower.finish());
        TarBuilder upper;
        upper.file("etc/name", "upper", 04755, with_xattr("user.color", "red"))
            .file("large", std::string(300000, 'l'))
            .file("etc-file", "x", 0644, with_owner(3, 4))
            .symlink("link", "etc/name")
            .hard_link("etc/other", "large")
            .device("null", S_IFCHR, 1, 3)
            .fifo("fifo")
            .file(".wh.gone");
        top_ = import_tar(upper);
    }

    Findings verify(const std::vector<std::string>& names = {}) {
        Findings findings;
        totals_ = open().verify_images(names, 2, findings, progress_);
        EXPECT_EQ(totals_.findings, findings.texts.size());
        return findings;
    }

    /// The one finding, as "PATH: EXPECTED | SEEN".
    std::string only_finding() {
        const Findings findings = verify();
        EXPECT_EQ(findings.texts.size(), 1u) << ::testing::PrintToString(findings.texts);
        return findings.texts.empty() ? "" : findings.texts.front();
    }

    /// Gives it back the time that it had.
    void with_time_kept(const std::string& path, const std::function<void()>& action) {
        const struct stat st = stat_of_path(path);
        action();
        const struct timespec times[2] = {st.st_atim, st.st_mtim};
        utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
    }

    std::string top_;
    StoreTotals totals_;
};

TEST_F(ImageVerifyTest, WhatWasImportedIsAsItWas) {
    EXPECT_EQ(verify().texts, std::vector<std::string>{});
    EXPECT_EQ(totals_.layers, 2u);
    EXPECT_EQ(totals_.blobs, 4u);
    EXPECT_EQ(totals_.objects, 4u + 10u);
    EXPECT_TRUE(totals_.unlisted.empty());
    EXPECT_TRUE(totals_.not_kept.empty());
    EXPECT_EQ(names_in(root() + "/trees").size(), 2u);
}

TEST_F(ImageVerifyTest, ContentOfTheSameSizeAndTime) {
    with_time_kept(top_ + "/large", [&] {
        std::fstream file(top_ + "/large", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(200000);
        file.put('L');
    });
    EXPECT_EQ(only_finding().find("/etc/other: content "), 0u);
}

TEST_F(ImageVerifyTest, AFileThatIsGone) {
    with_time_kept(top_, [&] { fs::remove(top_ + "/etc-file"); });
    EXPECT_EQ(only_finding(), "/etc-file: a file | nothing");
}

TEST_F(ImageVerifyTest, AFileThatIsNew) {
    with_time_kept(top_ + "/etc", [&] { write_file(top_ + "/etc/new name", ""); });
    EXPECT_EQ(only_finding(), "/etc/new name: nothing | a file");
}

TEST_F(ImageVerifyTest, Mode) {
    chmod((top_ + "/etc/name").c_str(), 0755);
    EXPECT_EQ(only_finding(), "/etc/name: mode 4755 | mode 755");
}

TEST_F(ImageVerifyTest, Owner) {
    lchown((top_ + "/etc-file").c_str(), 3, 5);
    EXPECT_EQ(only_finding(), "/etc-file: owner 3:4 | owner 3:5");
}

TEST_F(ImageVerifyTest, AttributeOfAnotherValue) {
    setxattr((top_ + "/etc/name").c_str(), "user.color", "blue", 4, 0);
    EXPECT_EQ(only_finding(), "/etc/name: attribute user.color sha256:" + Digest::of("red").hex() +
                                  " | attribute user.color sha256:" + Digest::of("blue").hex());
}

TEST_F(ImageVerifyTest, AttributeThatIsNew) {
    setxattr((top_ + "/etc").c_str(), "trusted.overlay.opaque", "y", 1, 0);
    EXPECT_EQ(only_finding(), "/etc: attribute trusted.overlay.opaque none | attribute trusted.overlay.opaque sha256:" +
                                  Digest::of("y").hex());
}

TEST_F(ImageVerifyTest, Time) {
    const struct timespec times[2] = {{7, 0}, {7, 9}};
    utimensat(AT_FDCWD, (top_ + "/null").c_str(), times, 0);
    EXPECT_EQ(only_finding(), "/null: time 1000.000000000 | time 7.000000009");
}

TEST_F(ImageVerifyTest, ALinkThatIsAFileOfItsOwn) {
    with_time_kept(top_, [&] {
        with_time_kept(top_ + "/large", [&] {
            fs::copy_file(top_ + "/large", top_ + "/copy");
            fs::rename(top_ + "/copy", top_ + "/large");
        });
    });
    const Findings findings = verify();
    EXPECT_TRUE(std::any_of(findings.texts.begin(), findings.texts.end(), [](const std::string& text) {
        return text == "/large: a link of /etc/other | no further name of another";
    })) << ::testing::PrintToString(findings.texts);
}

TEST_F(ImageVerifyTest, AnotherTypeUnderTheName) {
    with_time_kept(top_, [&] {
        fs::remove(top_ + "/gone"); // the whiteout
        mkfifo((top_ + "/gone").c_str(), 0644);
    });
    EXPECT_EQ(only_finding(), "/gone: a character device | a fifo");
}

TEST_F(ImageVerifyTest, ALayerThatIsGone) {
    fs::remove_all(top_);
    const Findings findings = verify();
    ASSERT_EQ(findings.texts.size(), 1u);
    EXPECT_EQ(findings.texts[0], ": a directory | nothing");
    EXPECT_EQ(findings.all[0].digest.hex(), fs::path(top_).filename().string());
}

TEST_F(ImageVerifyTest, ABlobOfTheSameSize) {
    const Digest blob = open().image("image").layers[0].blob;
    const std::string path = root() + "/blobs/sha256/" + blob.hex();
    std::string content = read_file(path);
    content[content.size() / 2] ^= 1;
    write_file(path, content);
    const Findings findings = verify({"image"});
    ASSERT_EQ(findings.texts.size(), 1u);
    EXPECT_EQ(findings.all[0].where, StoreFinding::Where::blob);
    EXPECT_EQ(findings.all[0].digest, blob);
    EXPECT_EQ(findings.all[0].seen, Digest::of(content).text());
    EXPECT_EQ(findings.all[0].images, std::vector<std::string>{"image"});
}

TEST_F(ImageVerifyTest, ABlobOfAnotherSizeAndAManifestOfNoSense) {
    const ImageRecord image = open().image("image");
    fs::resize_file(root() + "/blobs/sha256/" + image.layers[0].blob.hex(), 7);
    EXPECT_EQ(verify().texts.size(), 1u);
    write_file(root() + "/blobs/sha256/" + image.manifest_digest.hex(), "{");
    EXPECT_EQ(verify().texts.size(), 2u);
}

TEST_F(ImageVerifyTest, BlobsThatWereRemovedAreCountedAndNoFinding) {
    CollectOptions options;
    options.all_blobs = true;
    ASSERT_TRUE(open().collect(options, [](const std::string&) { return false; }));
    EXPECT_TRUE(verify().texts.empty());
    EXPECT_EQ(totals_.not_kept.size(), 4u);
}

TEST_F(ImageVerifyTest, AListThatWasChangedIsNotBelieved) {
    const std::string tree = root() + "/trees/" + open().image("image").layers[1].tree.hex();
    chmod((top_ + "/etc/name").c_str(), 0755);
    std::string text = read_file(tree);
    text.replace(text.find("104755"), 6, "100755");
    write_file(tree, text);
    EXPECT_NE(only_finding().find("has another digest"), std::string::npos);
}

TEST_F(ImageVerifyTest, OfWhatAnOlderVersionImportedNothingIsKnown) {
    {
        Database database(root() + "/shale.db");
        database.execute("ALTER TABLE layers DROP COLUMN tree; "
                    "ALTER TABLE snapshots DROP COLUMN is_view; PRAGMA user_version = 2");
    }
    chmod((top_ + "/etc/name").c_str(), 0755);
    EXPECT_TRUE(verify().texts.empty());
    EXPECT_EQ(totals_.unlisted.size(), 2u);
}

TEST_F(ImageVerifyTest, ALayerThatIsUnpackedAnewIsListedAnew) {
    {
        Database database(root() + "/shale.db");
        database.execute("UPDATE layers SET tree = ''");
    }
    fs::remove_all(top_);
    open().import_layout(image_.path(), "image", "", progress_);
    EXPECT_TRUE(verify().texts.empty());
    EXPECT_EQ(totals_.unlisted.size(), 1u);
}

TEST_F(ImageVerifyTest, ListsGoWithTheirLayers) {
    Store store = open();
    store.remove_images({"image"});
    ASSERT_TRUE(store.collect({}, [](const std::string&) { return false; }));
    expect_nothing_left();
    EXPECT_EQ(names_in(root() + "/trees"), std::vector<std::string>{});
}

TEST_F(ImageVerifyTest, CanBeStopped) {
    progress_.asked = 0;
    progress_.cancel_after = 0;
    EXPECT_THROW(verify(), Cancelled);
}

TEST(LayerTreeTest, IsReadAsItWasWritten) {
    LayerObject odd;
    odd.path = "a b/%=\n\xff";
    odd.mode = S_IFREG | 06711;
    odd.uid = 4000000000;
    odd.modified = {-5, 7};
    odd.size = 1ULL << 40;
    odd.content = "with blank";
    odd.link = "x y";
    odd.xattrs = {{"user.a=b c", "00"}};
    const LayerTree tree = {LayerObject{}, odd};
    EXPECT_TRUE(compare_trees(tree, parse_tree(text_of(tree), "it")).empty());
    EXPECT_THROW(parse_tree("nonsense\n", "it"), Error);
}

TEST(LayerTreeTest, HolesDoNotCount) {
    const TemporaryDirectory dir;
    const auto digest = [&](const std::string& content, uint64_t size) {
        const std::string path = dir.path() + "/file";
        write_file(path, content);
        fs::resize_file(path, size);
        const UniqueFd fd(::open(path.c_str(), O_RDONLY));
        return content_digest(fd.get(), path, [](uint64_t) {});
    };
    EXPECT_EQ(digest(std::string(1 << 20, '\0') + "x", (1 << 20) + 1), [&] {
        const std::string path = dir.path() + "/sparse";
        write_file(path, "");
        fs::resize_file(path, 1 << 20);
        std::ofstream(path, std::ios::app) << "x";
        const UniqueFd fd(::open(path.c_str(), O_RDONLY));
        return content_digest(fd.get(), path, [](uint64_t) {});
    }());
    EXPECT_NE(digest("x", 200000), digest(std::string(65536, '\0') + "x", 200000));
    EXPECT_EQ(digest("", 1ULL << 40), Sha256().finish().hex());
}

TEST(LayerTreeTest, TheDigestOfPiecesIsThatOfTheFile) {
    const TemporaryDirectory dir;
    const std::string path = dir.path() + "/file";
    ContentDigest pieces; // one for all, as an import has it
    for (const size_t size : {0, 1, 65535, 65536, 65537, 300000}) {
        for (const size_t step : {1000, 65536, 100000}) {
            std::string content(size, '\0');
            for (size_t at = 0; at < size; at += step + 70000) // and blocks of zeros between
                for (size_t i = at; i < std::min(size, at + step); i++)
                    content[i] = static_cast<char>('a' + i % 26);
            for (size_t at = 0; at < size; at += step + 70000)
                pieces.add(at, content.data() + at, std::min(step, size - at));
            write_file(path, content);
            const UniqueFd fd(::open(path.c_str(), O_RDONLY));
            EXPECT_EQ(pieces.finish(size), content_digest(fd.get(), path, [](uint64_t) {})) << size << " by " << step;
        }
    }
}

} // namespace shale::test
