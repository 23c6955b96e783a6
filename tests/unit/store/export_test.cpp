// SPDX-License-Identifier: GPL-2.0-or-later
//
// Images on their way out of the store.
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "oci/manifest.hpp"
#include "store/image_export.hpp"
#include "support/store_fixture.hpp"

namespace fs = std::filesystem;

namespace shale::test {

class ExportTest : public StoreTest {
protected:
    void SetUp() override {
        StoreTest::SetUp();
        if (IsSkipped())
            return;
        add_layer("gzip", Compression::gzip);
        add_layer("zstd", Compression::zstd);
        add_layer("gzip", Compression::gzip); // the same blob once more
        manifest_ = image_.tag("demo");
        open().import_layout(image_.path(), "demo", "", progress_);
    }

    void add_layer(const std::string& name, Compression compression) {
        TarBuilder tar;
        tar.directory("./").file(name, std::string(700000, name.front()));
        tars_.push_back(tar.finish());
        image_.layer(tars_.back(), compression);
    }

    std::string target(const std::string& name = "out") const { return dir_.path() + "/" + name; }

    void write(ExportFormat format, const std::string& tag = "", const std::string& name = "out") {
        open().export_image("demo", tag, format, target(name), progress_);
    }

    std::string refusal(ExportFormat format, const std::string& tag = "") {
        const auto before = names_in(dir_.path());
        try {
            write(format, tag);
        } catch (const Error& error) {
            EXPECT_EQ(names_in(dir_.path()), before) << "something is left";
            return error.what();
        }
        return "(accepted)";
    }

    std::string kept(const Digest& digest) const {
        return root() + "/blobs/sha256/" + digest.hex();
    }

    /// Unpacks the tar "out" with the system's own program into a new directory.
    std::string unpack() {
        fs::create_directory(target("unpacked"));
        const std::string command = "tar -xf " + target() + " -C " + target("unpacked");
        EXPECT_EQ(system(command.c_str()), 0);
        return target("unpacked");
    }

    void expect_layout(const std::string& path, const std::string& tag) {
        const oci::Layout layout(path);
        const oci::Manifest manifest = oci::read_manifest(layout, tag);
        EXPECT_EQ(manifest.descriptor.digest, manifest_);
        EXPECT_EQ(manifest.layers.size(), 3u);
        const std::string blobs = path + "/blobs/sha256/";
        EXPECT_EQ(names_in(blobs), names_in(image_.path() + "/blobs/sha256"));
        for (const std::string& name : names_in(blobs))
            EXPECT_EQ(Digest::of(read_file(blobs + name)).hex(), name);
    }

    Digest manifest_;
    std::vector<std::string> tars_;
};

TEST_F(ExportTest, ALayoutHasTheBlobsThatWereImported) {
    write(ExportFormat::oci_directory);
    expect_layout(target(), "demo");
    write(ExportFormat::oci_directory, "other:1", "second");
    expect_layout(target("second"), "other:1");
}

TEST_F(ExportTest, ATarHasTheSameAndIsTheSameEachTime) {
    write(ExportFormat::oci_archive);
    write(ExportFormat::oci_archive, "", "again");
    EXPECT_EQ(read_file(target()), read_file(target("again")));
    expect_layout(unpack(), "demo");
}

TEST_F(ExportTest, AStreamIsTheSameTar) {
    write(ExportFormat::oci_archive);
    const UniqueFd file(::open(target("stream").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    open().export_image("demo", "", ExportFormat::oci_archive, file.get(), progress_);
    EXPECT_EQ(read_file(target("stream")), read_file(target()));
}

TEST_F(ExportTest, ADockerArchiveHasTheConfigAndTheLayersUncompressed) {
    write(ExportFormat::docker_archive);
    const std::string path = unpack();
    const auto manifest = nlohmann::json::parse(read_file(path + "/manifest.json")).at(0);
    EXPECT_EQ(manifest["RepoTags"], nlohmann::json::array({"demo:latest"}));
    const ImageRecord image = open().image("demo");
    EXPECT_EQ(manifest["Config"], image.config_digest.hex() + ".json");
    EXPECT_EQ(read_file(path + "/" + std::string(manifest["Config"])), image.config);
    ASSERT_EQ(manifest["Layers"].size(), 3u);
    for (size_t i = 0; i < 3; i++) {
        EXPECT_EQ(read_file(path + "/" + std::string(manifest["Layers"][i])), tars_[i]) << i;
        EXPECT_EQ(manifest["Layers"][i], image.layers[i].diff_id.hex() + ".tar");
    }
}

TEST_F(ExportTest, WhatExistsIsNotOverwritten) {
    for (const auto format : {ExportFormat::oci_directory, ExportFormat::oci_archive}) {
        write_file(target(), "precious");
        EXPECT_NE(refusal(format).find(target() + ": exists already"), std::string::npos);
        EXPECT_EQ(read_file(target()), "precious");
        fs::remove(target());
    }
}

TEST_F(ExportTest, AnImageWhoseBlobsAreGoneIsRefusedWithTheirNumber) {
    fs::remove(kept(open().image("demo").layers[1].blob));
    EXPECT_NE(refusal(ExportFormat::oci_directory)
                  .find("image 'demo': 1 of its 4 blobs are not in the store; import it again"),
              std::string::npos);
    open().import_layout(image_.path(), "demo", "", progress_);
    EXPECT_EQ(refusal(ExportFormat::oci_directory), "(accepted)");
}

TEST_F(ExportTest, ADamagedBlobIsNotHandedOn) {
    const Digest blob = open().image("demo").layers[1].blob;
    std::string content = read_file(kept(blob));
    content[content.size() - 3] ^= 1; // in the checksum, or behind all that inflation looks at
    fs::remove(kept(blob));
    write_file(kept(blob), content);
    for (const auto format : {ExportFormat::oci_directory, ExportFormat::oci_archive})
        EXPECT_NE(refusal(format).find(kept(blob) + ": wrong digest"), std::string::npos);
    EXPECT_NE(refusal(ExportFormat::docker_archive).find(kept(blob)), std::string::npos);
}

TEST_F(ExportTest, AnExportThatIsStoppedLeavesNothing) {
    for (const auto format : {ExportFormat::oci_directory, ExportFormat::oci_archive,
                              ExportFormat::docker_archive}) {
        progress_.asked = 0;
        progress_.cancel_after = 1;
        EXPECT_NE(refusal(format).find("interrupted"), std::string::npos);
    }
}

TEST_F(ExportTest, TagsThatNoToolWouldTakeAreRefused) {
    EXPECT_NE(refusal(ExportFormat::oci_directory, "a//b").find("--tag"), std::string::npos);
    EXPECT_NE(refusal(ExportFormat::docker_archive, "Upper/Case").find("--tag"), std::string::npos);
    EXPECT_EQ(docker_tag("debian"), "debian:latest");
    EXPECT_EQ(docker_tag("debian:12"), "debian:12");
    EXPECT_EQ(docker_tag("localhost:5000/a/b_c"), "localhost:5000/a/b_c:latest");
    EXPECT_EQ(docker_tag("localhost:5000/a:1.2"), "localhost:5000/a:1.2");
    EXPECT_NO_THROW(check_layout_tag("registry.example:5000/debian:12-slim"));
}

} // namespace shale::test
