// SPDX-License-Identifier: GPL-2.0-or-later
//
// Images that are damaged or mean harm: refused with a reason, and nothing of them stays.
#include <filesystem>
#include <fstream>

#include "support/store_fixture.hpp"

namespace shale::test {

#define EXPECT_SAYS(message, part) EXPECT_NE((message).find(part), std::string::npos) << (message)

class BadImageTest : public StoreTest {
protected:
    /// A layer of some size below the one under test, so that there is something to take back.
    void SetUp() override {
        StoreTest::SetUp();
        if (IsSkipped())
            return;
        TarBuilder tar;
        tar.directory("d").file("d/f", std::string(100000, 'x')).symlink("out", dir_.path());
        image_.layer(tar.finish());
    }

    std::string sample_tar() {
        TarBuilder tar;
        std::string content;
        for (unsigned i = 0, x = 7; i < 300000; i++, x = x * 1103515245 + 12345)
            content += static_cast<char>(x >> 16);
        tar.directory("e").file("e/f", content);
        return tar.finish();
    }

    const std::string gzip_type_ = "application/vnd.oci.image.layer.v1.tar+gzip";
};

TEST_F(BadImageTest, ATruncatedBlobIsNamed) {
    const Digest blob = image_.layer(sample_tar());
    std::filesystem::resize_file(image_.blob_path(blob), 1000);
    const std::string message = import_refused();
    EXPECT_SAYS(message, image_.blob_path(blob) + ": blob is truncated: 1000 bytes where");
    EXPECT_SAYS(message, "copy it again");
}

TEST_F(BadImageTest, ABlobThatIsTooLongIsNamed) {
    const Digest blob = image_.layer(sample_tar());
    std::ofstream(image_.blob_path(blob), std::ios::app) << "more";
    EXPECT_SAYS(import_refused(), image_.blob_path(blob) + ": blob is too long");
}

TEST_F(BadImageTest, AMissingBlobIsNamed) {
    const Digest blob = image_.layer(sample_tar());
    std::filesystem::remove(image_.blob_path(blob));
    EXPECT_SAYS(import_refused(), image_.blob_path(blob) + ": blob is missing");
}

TEST_F(BadImageTest, AFlippedBitIsAWrongDigestHoweverItShows) {
    // In the gzip header, in the deflate data, in the trailer; and in a plain tar's header.
    for (const Compression compression :
         {Compression::gzip, Compression::zstd, Compression::none}) {
        const std::string good = compress(sample_tar(), compression);
        for (const size_t position : {size_t{0}, size_t{3}, good.size() / 2, good.size() - 3}) {
            const Digest blob = image_.layer(sample_tar(), compression);
            std::string bad = good;
            bad[position] ^= 0x10;
            write_file(image_.blob_path(blob), bad);
            EXPECT_SAYS(import_refused(), image_.blob_path(blob) + ": wrong digest");
        }
    }
}

TEST_F(BadImageTest, CorruptGzipUnderARightDigestIsNamed) {
    const std::string tar = sample_tar();
    std::string blob = compress(tar, Compression::gzip);
    for (size_t i = blob.size() / 2; i < blob.size() / 2 + 50; i++)
        blob[i] = '\xff';
    const Digest digest = image_.raw_layer(blob, gzip_type_, Digest::of(tar));
    EXPECT_SAYS(import_refused(), image_.blob_path(digest) + ": gzip data is corrupt");
}

TEST_F(BadImageTest, TruncatedGzipUnderARightDigestIsNamed) {
    const std::string tar = sample_tar();
    const std::string blob = compress(tar, Compression::gzip);
    const Digest digest =
        image_.raw_layer(blob.substr(0, blob.size() / 2), gzip_type_, Digest::of(tar));
    EXPECT_SAYS(import_refused(), image_.blob_path(digest) + ": gzip data is truncated");
}

TEST_F(BadImageTest, ATruncatedTarIsNamedWithTheEntry) {
    const std::string tar = sample_tar().substr(0, 100000);
    const Digest digest = image_.layer(tar);
    const std::string message = import_refused();
    EXPECT_SAYS(message, image_.blob_path(digest) + ": entry 'e/f': damaged tar archive");
}

TEST_F(BadImageTest, ATarThatLacksTheLastByteOfContentIsDamaged) {
    const std::string tar = sample_tar();
    const size_t headers = 2 * 512; // of a directory and a file
    const Digest digest = image_.layer(tar.substr(0, headers + 300000 - 1));
    EXPECT_SAYS(import_refused(), image_.blob_path(digest) + ": entry 'e/f': damaged tar archive");
}

TEST_F(BadImageTest, WhatIsNoTarIsNamed) {
    const Digest digest = image_.layer("this is no archive, whatever the manifest says of it");
    EXPECT_SAYS(import_refused(), image_.blob_path(digest) + ": damaged tar archive");
}

TEST_F(BadImageTest, AnotherDiffIdIsNamed) {
    const Digest digest = image_.raw_layer(compress(sample_tar(), Compression::gzip), gzip_type_,
                                           Digest::of("something else"));
    const std::string message = import_refused();
    EXPECT_SAYS(message, image_.blob_path(digest) + ": the layer in it has digest sha256:");
    EXPECT_SAYS(message, Digest::of("something else").text());
}

TEST_F(BadImageTest, AMessageHoldsNothingATerminalWouldObey) {
    TarBuilder tar;
    tar.file("../\x1b]0;title\x07", "x");
    EXPECT_SAYS(import_tar_refused(tar), "entry '../?]0;title?'");
}

TEST_F(BadImageTest, APathWithDotDotIsRefused) {
    TarBuilder tar;
    tar.file("fine", "x").file("d/../../escaped", "x");
    const std::string message = import_tar_refused(tar);
    EXPECT_SAYS(message, ": entry 'd/../../escaped': path with '..'");
    EXPECT_SAYS(message, "blobs/sha256/");
}

TEST_F(BadImageTest, AnAbsolutePathIsRefused) {
    TarBuilder tar;
    tar.file(dir_.path() + "/escaped", "x");
    EXPECT_SAYS(import_tar_refused(tar), "/escaped': absolute path");
    EXPECT_FALSE(exists(dir_.path() + "/escaped"));
}

TEST_F(BadImageTest, APathThroughASymbolicLinkIsRefused) {
    TarBuilder tar;
    tar.symlink("a", dir_.path()).file("a/escaped", "x");
    EXPECT_SAYS(import_tar_refused(tar),
                "entry 'a/escaped': path goes through the symbolic link 'a'");
    EXPECT_FALSE(exists(dir_.path() + "/escaped"));
}

TEST_F(BadImageTest, APathThroughALinkThatStaysInsideIsRefusedToo) {
    TarBuilder tar;
    tar.directory("b/c").symlink("a", "b").file("a/c/f", "x");
    EXPECT_SAYS(import_tar_refused(tar), "path goes through the symbolic link 'a'");
}

TEST_F(BadImageTest, AWhiteoutThroughASymbolicLinkIsRefused) {
    write_file(dir_.path() + "/victim", "x");
    TarBuilder tar;
    tar.symlink("a", dir_.path()).file("a/.wh.victim");
    EXPECT_SAYS(import_tar_refused(tar), "path goes through the symbolic link 'a'");
    TarBuilder opaque;
    opaque.symlink("a", dir_.path()).file("a/.wh..wh..opq");
    EXPECT_SAYS(import_tar_refused(opaque), "path goes through the symbolic link 'a'");
    EXPECT_EQ(read_file(dir_.path() + "/victim"), "x");
}

TEST_F(BadImageTest, AWhiteoutOfTheParentDirectoryIsRefused) {
    TarBuilder tar;
    tar.file("d/.wh...");
    EXPECT_SAYS(import_tar_refused(tar), "entry 'd/.wh...': whiteout of nothing");
}

TEST_F(BadImageTest, AHardLinkThatLeadsOutIsRefused) {
    write_file(dir_.path() + "/secret", "x");
    for (const auto& [target, reason] : std::vector<std::pair<std::string, std::string>>{
             {"../../../secret", "path with '..'"},
             {dir_.path() + "/secret", "absolute path"},
             {"a/secret", "goes through a symbolic link"},
             {"out/secret", "neither in this layer before it nor below"},
             {"./", "not something that can be linked"}}) {
        TarBuilder tar;
        tar.symlink("a", dir_.path()).hard_link("stolen", target);
        const std::string message = import_tar_refused(tar);
        EXPECT_SAYS(message, "entry 'stolen'");
        EXPECT_SAYS(message, reason);
        SetUp();
    }
}

TEST_F(BadImageTest, AHardLinkToADirectoryIsRefused) {
    TarBuilder tar;
    tar.directory("a").hard_link("b", "a");
    EXPECT_SAYS(import_tar_refused(tar), "hard link to the directory 'a'");
}

TEST_F(BadImageTest, AFileWhereADirectoryIsNeededIsRefused) {
    TarBuilder tar;
    tar.file("a", "x").file("a/b", "x");
    EXPECT_SAYS(import_tar_refused(tar), "entry 'a/b': 'a' is not a directory");
}

TEST_F(BadImageTest, ARootThatIsNoDirectoryIsRefused) {
    TarBuilder tar;
    tar.symlink("./", "/etc");
    EXPECT_SAYS(import_tar_refused(tar), "the root of a layer must be a directory");
}

TEST_F(BadImageTest, ANameThatNoFileSystemTakesIsRefused) {
    TarBuilder tar;
    tar.file(std::string(300, 'x'), "x");
    EXPECT_SAYS(import_tar_refused(tar), "File name too long");
}

TEST_F(BadImageTest, MarksOfAnOverlayAreDroppedWithOneWarning) {
    TarBuilder tar;
    tar.directory("d", 0755, with_xattr("trusted.overlay.redirect", "/etc"));
    tar.directory("o", 0755, with_xattr("trusted.overlay.opaque", "y"));
    tar.file("m", "", 0644, with_xattr("user.overlay.metacopy", ""));
    tar.file("n", "", 0644, with_xattr("trusted.overlay.overlay.whiteout", ""));
    tar.symlink("l", "x", with_xattr("trusted.overlay.origin", "x"));
    tar.file("k", "", 0644, with_xattr("user.kept", "v"));
    const std::string top = import_tar(tar);

    for (const auto& [path, name] : std::vector<std::pair<std::string, std::string>>{
             {"/d", "trusted.overlay.redirect"},
             {"/o", "trusted.overlay.opaque"},
             {"/m", "user.overlay.metacopy"},
             {"/n", "trusted.overlay.overlay.whiteout"},
             {"/l", "trusted.overlay.origin"}})
        EXPECT_EQ(xattr_of(top + path, name), "(none)");
    EXPECT_EQ(xattr_of(top + "/k", "user.kept"), "v");
    ASSERT_EQ(progress_.warnings.size(), 1u);
    EXPECT_SAYS(progress_.warnings[0], "entry 'm': dropped attribute user.overlay.metacopy");
    EXPECT_SAYS(progress_.warnings[0], "and 4 more");
}

TEST_F(BadImageTest, ADeviceThatWouldBeAWhiteoutIsLeftOutWithAWarning) {
    TarBuilder tar;
    tar.device("d", S_IFCHR, 0, 0).file("f", "x");
    const std::string top = import_tar(tar);

    EXPECT_EQ(names_in(top), std::vector<std::string>{"f"});
    ASSERT_EQ(progress_.warnings.size(), 1u);
    EXPECT_SAYS(progress_.warnings[0], "entry 'd': left out");
}

} // namespace shale::test
