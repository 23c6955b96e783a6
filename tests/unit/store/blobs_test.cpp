// SPDX-License-Identifier: GPL-2.0-or-later
//
// What an import keeps of where an image came from.
#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "store/database.hpp"
#include "support/store_fixture.hpp"

namespace fs = std::filesystem;

namespace shale::test {

class BlobsTest : public StoreTest {
protected:
    void add_layer(const std::string& name, Compression compression = Compression::gzip) {
        TarBuilder tar;
        tar.directory("./").file(name, std::string(700000, name.front()));
        image_.layer(tar.finish(), compression);
    }

    ImageRecord import(const std::string& tag = "one") {
        return open().import_layout(image_.path(), tag, "", progress_);
    }

    std::string refusal(const std::string& tag = "one") {
        try {
            import(tag);
        } catch (const Error& error) {
            return error.what();
        }
        return "(accepted)";
    }

    std::string kept(const std::string& hex = "") const {
        return root() + "/blobs/sha256" + (hex.empty() ? "" : "/" + hex);
    }

    /// The store has each blob of the layout, byte by byte, and no other.
    void expect_all_kept() {
        const std::string source = image_.path() + "/blobs/sha256";
        EXPECT_EQ(names_in(kept()), names_in(source));
        for (const std::string& name : names_in(source))
            EXPECT_EQ(read_file(kept(name)), read_file(source + "/" + name)) << name;
        EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
    }
};

TEST_F(BlobsTest, EachBlobIsKeptAsItCame) {
    add_layer("gzip");
    add_layer("zstd", Compression::zstd);
    add_layer("tar", Compression::none);
    image_.tag("one");
    const ImageRecord image = import();

    expect_all_kept();
    EXPECT_EQ(image.media_type, "application/vnd.oci.image.manifest.v1+json");
    EXPECT_EQ(image.config_digest, Digest::of(image.config));
    EXPECT_EQ(open().image("one").media_type, image.media_type);
    EXPECT_EQ(open().image("one").config_digest, image.config_digest);
    EXPECT_EQ(stat_of_path(kept(image.config_digest.hex())).st_mode & 07777u, 0444u);
    EXPECT_EQ(stat_of_path(root() + "/blobs").st_mode & 07777u, 0700u);
}

TEST_F(BlobsTest, ABlobThatTwoLayersShareIsKeptOnce) {
    add_layer("same");
    add_layer("other");
    add_layer("same");
    image_.tag("one");
    EXPECT_EQ(import().layers.size(), 3u);
    expect_all_kept();
}

TEST_F(BlobsTest, ABlobThatIsGoneIsFetchedAgainWithoutTheLayer) {
    add_layer("a");
    add_layer("b");
    image_.tag("one");
    const ImageRecord image = import();
    for (const std::string& hex :
         {image.manifest_digest.hex(), image.config_digest.hex(), image.layers[1].blob.hex()})
        fs::remove(kept(hex));
    const ino_t layer = stat_of_path(open().layer_path(image.layers[1])).st_ino;

    import();
    expect_all_kept();
    EXPECT_EQ(stat_of_path(open().layer_path(image.layers[1])).st_ino, layer);
    EXPECT_EQ(progress_.reused, 2u);
}

TEST_F(BlobsTest, ABlobOfTheWrongSizeIsReplacedAndAWholeOneIsNot) {
    add_layer("a");
    image_.tag("one");
    const ImageRecord image = import();
    fs::resize_file(kept(image.layers[0].blob.hex()), 10);
    const ino_t whole = stat_of_path(kept(image.config_digest.hex())).st_ino;

    import();
    expect_all_kept();
    EXPECT_EQ(stat_of_path(kept(image.config_digest.hex())).st_ino, whole);
}

TEST_F(BlobsTest, ADamagedBlobIsNotTakenEvenIfItsLayerIsThere) {
    add_layer("a");
    image_.tag("one");
    const Digest blob = import().layers[0].blob;
    fs::remove(kept(blob.hex()));
    std::string content = read_file(image_.blob_path(blob));
    content[content.size() / 2] ^= 1;
    write_file(image_.blob_path(blob), content);

    EXPECT_NE(refusal().find(image_.blob_path(blob) + ": wrong digest"), std::string::npos);
    EXPECT_FALSE(exists(kept(blob.hex())));
    EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
}

TEST_F(BlobsTest, AnImportThatIsStoppedWhileABlobIsFetchedLeavesNothing) {
    add_layer("a");
    image_.tag("one");
    const Digest blob = import().layers[0].blob;
    fs::remove(kept(blob.hex()));
    progress_.asked = 0;
    progress_.cancel_after = 0;
    EXPECT_THROW(import(), Cancelled);
    EXPECT_FALSE(exists(kept(blob.hex())));
    EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
}

TEST_F(BlobsTest, BlobsThatACrashPublishedWithoutRecordAreTakenUp) {
    add_layer("a");
    image_.tag("one");
    import();
    fs::remove(root() + "/shale.db");
    import();
    expect_all_kept();
    EXPECT_EQ(open().images().size(), 1u);
}

/// What version 1 of the schema made.
constexpr const char* version_1 = R"(
CREATE TABLE layers (chain_id TEXT PRIMARY KEY, diff_id TEXT NOT NULL, size INTEGER NOT NULL);
CREATE TABLE images (name TEXT PRIMARY KEY, manifest TEXT NOT NULL, config TEXT NOT NULL,
    imported INTEGER NOT NULL);
CREATE TABLE image_layers (image TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
    position INTEGER NOT NULL, chain_id TEXT NOT NULL REFERENCES layers, blob TEXT NOT NULL,
    PRIMARY KEY (image, position));
CREATE TABLE snapshots (name TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES images,
    created INTEGER NOT NULL);
PRAGMA user_version = 1;
)";

TEST_F(BlobsTest, AStoreOfVersion1IsTakenOverAndAnotherImportBringsTheBlobs) {
    add_layer("a");
    image_.tag("one");
    const ImageRecord before = import();
    fs::remove_all(root() + "/blobs");
    fs::remove(root() + "/shale.db");
    {
        Database old(root() + "/shale.db");
        old.execute(version_1);
        const std::string chain = before.layers[0].chain_id.text();
        Statement(old, "INSERT INTO layers VALUES (?, ?, 5)").bind(chain).bind(chain).run();
        Statement(old, "INSERT INTO images VALUES ('one', ?, ?, 7)")
            .bind(before.manifest_digest.text())
            .bind(before.config)
            .run();
        Statement(old, "INSERT INTO image_layers VALUES ('one', 0, ?, ?)")
            .bind(chain)
            .bind(before.layers[0].blob.text())
            .run();
        old.execute("INSERT INTO snapshots VALUES ('web', 'one', 8)");
    }

    const ImageRecord image = open().image("one");
    EXPECT_FALSE(image.has_blobs());
    EXPECT_EQ(image.config, before.config);
    EXPECT_EQ(image.config_digest, before.config_digest);
    EXPECT_EQ(image.imported, 7);
    EXPECT_EQ(image.layers.size(), 1u);
    EXPECT_EQ(open().snapshot("web").image, "one");

    import();
    EXPECT_TRUE(open().image("one").has_blobs());
    EXPECT_EQ(progress_.reused, 1u);
    expect_all_kept();
}

} // namespace shale::test
