// SPDX-License-Identifier: GPL-2.0-or-later
//
// Images that come in one file or through a pipe.
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "support/store_fixture.hpp"

namespace fs = std::filesystem;

namespace shale::test {

#define EXPECT_SAYS(message, part) EXPECT_NE((message).find(part), std::string::npos) << (message)

using nlohmann::json;

namespace {

std::string layer_of(const std::string& name) {
    TarBuilder tar;
    tar.directory("./").file(name, std::string(3000, name.front()));
    return tar.finish();
}

/// The config of an image of these layers.
std::string config_of(const std::vector<std::string>& tars) {
    json ids = json::array();
    for (const std::string& tar : tars)
        ids.push_back(Digest::of(tar).text());
    return json{{"os", "linux"}, {"architecture", "amd64"}, {"rootfs", {{"type", "layers"}, {"diff_ids", ids}}}}
        .dump();
}

json docker_entry(const std::string& config, const json& layers, const json& tags) {
    return {{"Config", config}, {"RepoTags", tags}, {"Layers", layers}};
}

/// An image of the layers "a" and "b", as docker saved it for long: a directory for each layer.
TarBuilder& add_old_docker_files(TarBuilder& tar) {
    return tar.file("c.json", config_of({layer_of("a"), layer_of("b")}))
        .directory("1")
        .file("1/VERSION", "1.0")
        .file("1/layer.tar", layer_of("a"))
        .directory("2")
        .file("2/layer.tar", layer_of("b"));
}

std::string old_docker_archive(const json& tags = {"demo:1"}) {
    TarBuilder tar;
    add_old_docker_files(tar).file(
        "manifest.json", json{docker_entry("c.json", {"1/layer.tar", "2/layer.tar"}, tags)}.dump());
    return tar.finish();
}

} // namespace

class ArchiveTest : public StoreTest {
protected:
    std::string file() const { return dir_.path() + "/image.tar"; }

    ImageRecord import(const std::string& archive, const std::string& tag = "", const std::string& name = "") {
        write_file(file(), archive);
        const UniqueFd fd(::open(file().c_str(), O_RDONLY | O_CLOEXEC));
        return open().import_archive(fd.get(), "image.tar", tag, name, progress_);
    }

    std::string refusal(const std::string& archive, const std::string& tag = "") {
        std::string message = "(accepted)";
        try {
            import(archive, tag);
        } catch (const Error& error) {
            message = error.what();
        }
        expect_nothing_left();
        return message;
    }

    /// A tar of the layout image_.
    std::string pack() {
        TarBuilder tar;
        add_blobs(tar);
        tar.file("oci-layout", read_file(image_.path() + "/oci-layout"));
        tar.file("index.json", read_file(image_.path() + "/index.json"));
        return tar.finish();
    }

    void add_blobs(TarBuilder& tar) {
        tar.directory("blobs").directory("blobs/sha256");
        for (const std::string& name : names_in(image_.path() + "/blobs/sha256"))
            tar.file("blobs/sha256/" + name, read_file(image_.path() + "/blobs/sha256/" + name));
    }

    Digest make_image(const std::string& tag) {
        image_.layer(layer_of("a"), Compression::gzip);
        image_.layer(layer_of("b"), Compression::zstd);
        return image_.tag(tag);
    }

    void expect_layers(const ImageRecord& image, const std::vector<std::string>& names) {
        ASSERT_EQ(image.layers.size(), names.size());
        for (size_t i = 0; i < names.size(); i++) {
            EXPECT_EQ(image.layers[i].diff_id, Digest::of(layer_of(names[i])));
            EXPECT_EQ(names_in(open().layer_path(image.layers[i])), std::vector<std::string>{names[i]});
        }
    }

    void expect_kept_blobs_whole() {
        const std::string blobs = root() + "/blobs/sha256/";
        for (const std::string& name : names_in(blobs)) {
            EXPECT_EQ(Digest::of(read_file(blobs + name)).hex(), name);
            EXPECT_EQ(stat_of_path(blobs + name).st_nlink, 1u);
        }
        EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
    }
};

TEST_F(ArchiveTest, ALayoutInATarIsWhatTheDirectoryIs) {
    const Digest manifest = make_image("demo");
    for (const auto compression : {Compression::none, Compression::gzip, Compression::zstd}) {
        const ImageRecord image = import(compress(pack(), compression));
        EXPECT_EQ(image.name, "demo");
        EXPECT_EQ(image.manifest_digest, manifest);
        expect_layers(image, {"a", "b"});
        EXPECT_EQ(names_in(root() + "/blobs/sha256"), names_in(image_.path() + "/blobs/sha256"));
        expect_kept_blobs_whole();
        fs::remove_all(root());
    }
}

TEST_F(ArchiveTest, OneOfSeveralIsChosenByItsTag) {
    const Digest one = make_image("one");
    image_.layer(layer_of("c"));
    image_.tag("two");
    EXPECT_SAYS(refusal(pack()), "name one as image.tar:TAG; tags are one, two");
    EXPECT_SAYS(refusal(pack(), "three"), "holds no image tagged 'three'");
    EXPECT_EQ(import(pack(), "one").manifest_digest, one);
}

TEST_F(ArchiveTest, APipeIsReadToItsEnd) {
    const std::string archive = old_docker_archive() + std::string(300000, '\0');
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd from(ends[0]);
    size_t written = 0;
    std::thread writer([&, to = UniqueFd(ends[1])] {
        for (ssize_t did = 1; written < archive.size() && did > 0; written += static_cast<size_t>(did))
            did = write(to.get(), archive.data() + written, std::min<size_t>(archive.size() - written, 1000));
    });
    const ImageRecord image = open().import_archive(from.get(), "standard input", "", "", progress_);
    writer.join();
    EXPECT_EQ(written, archive.size());
    EXPECT_EQ(image.name, "demo:1");
    expect_layers(image, {"a", "b"});
}

TEST_F(ArchiveTest, ADockerArchiveGetsAManifestThatSaysTheSame) {
    const ImageRecord image = import(old_docker_archive());
    EXPECT_EQ(image.name, "demo:1");
    EXPECT_EQ(image.config, config_of({layer_of("a"), layer_of("b")}));
    expect_layers(image, {"a", "b"});
    expect_kept_blobs_whole();
    const auto descriptor = [](const std::string& type, const std::string& content) {
        return R"({"mediaType":"application/vnd.oci.image.)" + type + R"(","digest":")" +
               Digest::of(content).text() + R"(","size":)" + std::to_string(content.size()) + "}";
    };
    const std::string manifest =
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
        descriptor("config.v1+json", image.config) + R"(,"layers":[)" +
        descriptor("layer.v1.tar", layer_of("a")) + "," + descriptor("layer.v1.tar", layer_of("b")) + "]}";
    EXPECT_EQ(read_file(root() + "/blobs/sha256/" + image.manifest_digest.hex()), manifest);
    EXPECT_EQ(image.manifest_digest, Digest::of(manifest));
}

TEST_F(ArchiveTest, EqualLayersMayBeLinksToOne) {
    const std::string twice = config_of({layer_of("a"), layer_of("a")});
    for (const bool hard : {false, true}) {
        TarBuilder tar;
        tar.file("c.json", twice);
        if (hard)
            tar.hard_link("2/layer.tar", "1/layer.tar");
        else
            tar.symlink("2/layer.tar", "../3/layer.tar").symlink("3/layer.tar", "../1/layer.tar");
        tar.file("1/layer.tar", layer_of("a"));
        tar.file("manifest.json",
                 json{docker_entry("c.json", {"1/layer.tar", "2/layer.tar"}, {"demo:1"})}.dump());
        expect_layers(import(tar.finish()), {"a", "a"});
    }
}

TEST_F(ArchiveTest, LayersOfADockerArchiveMayBeCompressed) {
    TarBuilder tar;
    tar.file("c.json", config_of({layer_of("a"), layer_of("b")}))
        .file("a.tar", compress(layer_of("a"), Compression::gzip))
        .file("b.tar", compress(layer_of("b"), Compression::zstd))
        .file("manifest.json", json{docker_entry("c.json", {"a.tar", "./b.tar"}, nullptr)}.dump());
    const ImageRecord image = import(tar.finish());
    EXPECT_EQ(image.name, "image"); // of the file: it has no tag
    expect_layers(image, {"a", "b"});
    const auto layers =
        json::parse(read_file(root() + "/blobs/sha256/" + image.manifest_digest.hex()))["layers"];
    EXPECT_EQ(layers[0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    EXPECT_EQ(layers[1]["mediaType"], "application/vnd.oci.image.layer.v1.tar+zstd");
}

TEST_F(ArchiveTest, TheLayoutIsPreferredInAnArchiveThatIsBoth) {
    const Digest manifest = make_image("");
    image_.clear_index();
    json entry = image_.last_descriptor();
    entry["annotations"] = {{"io.containerd.image.name", "docker.io/library/demo:1"},
                            {"org.opencontainers.image.ref.name", "1"}};
    image_.list(entry);
    TarBuilder tar;
    add_blobs(tar);
    tar.file("index.json", read_file(image_.path() + "/index.json"));
    tar.file("manifest.json", "of no use");
    tar.file("oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
    const std::string archive = tar.finish();
    EXPECT_EQ(import(archive).name, "demo:1");
    EXPECT_EQ(import(archive, "demo:1").manifest_digest, manifest);
    EXPECT_EQ(import(archive, "1").name, "1");
}

TEST_F(ArchiveTest, NamesAreThoseThatPeopleUse) {
    const std::string archive = old_docker_archive({"docker.io/library/demo:1"});
    EXPECT_EQ(import(archive).name, "demo:1");
    EXPECT_EQ(import(archive, "demo:1").name, "demo:1");
    EXPECT_EQ(import(old_docker_archive({"docker.io/me/demo:1"})).name, "me/demo:1");
    EXPECT_EQ(import(old_docker_archive({"localhost/library/demo:1"})).name, "localhost/library/demo:1");
}

TEST_F(ArchiveTest, TwoNamesOfOneImageNeedNoChoice) {
    const json tags = {"demo:1", "demo:latest"};
    EXPECT_EQ(import(old_docker_archive(tags)).name, "demo:1");
    EXPECT_EQ(import(old_docker_archive(tags), "demo:latest").name, "demo:latest");
}

TEST_F(ArchiveTest, APipeOfAnImageWithoutATagNeedsAName) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd from(ends[0]);
    std::thread writer([to = UniqueFd(ends[1])] {
        const std::string archive = old_docker_archive(nullptr);
        ASSERT_EQ(write(to.get(), archive.data(), archive.size()), static_cast<ssize_t>(archive.size()));
    });
    try {
        open().import_archive(from.get(), "standard input", "", "", progress_);
        ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
        EXPECT_SAYS(std::string(error.what()), "choose one with --name");
    }
    writer.join();
    expect_nothing_left();
}

TEST_F(ArchiveTest, WhatWasExportedComesInAgain) {
    make_image("demo");
    const ImageRecord image = open().import_layout(image_.path(), "", "", progress_);
    for (const auto format : {ExportFormat::oci_archive, ExportFormat::docker_archive}) {
        fs::remove(file());
        open().export_image("demo", "", format, file(), progress_);
        progress_.reused = 0;
        const ImageRecord again = import(read_file(file()), "", "again");
        EXPECT_EQ(progress_.reused, 2u);
        EXPECT_EQ(again.config_digest, image.config_digest);
        EXPECT_EQ(again.manifest_digest == image.manifest_digest, format == ExportFormat::oci_archive);
    }
}

TEST_F(ArchiveTest, NamesAndLinksThatLeadOutAreRefused) {
    const std::vector<std::pair<std::function<void(TarBuilder&)>, std::string>> cases = {
        {[](TarBuilder& tar) { tar.file("../x", "x"); }, "entry '../x': path with '..'"},
        {[](TarBuilder& tar) { tar.file("a/../../x", "x"); }, "path with '..'"},
        {[](TarBuilder& tar) { tar.file("/x", "x"); }, "entry '/x': absolute path"},
        {[](TarBuilder& tar) { tar.symlink("1/layer.tar", "../../x"); },
         "entry '1/layer.tar': is a link to '../../x', outside the archive"},
        {[](TarBuilder& tar) { tar.symlink("x", ".."); }, "outside the archive"},
        {[](TarBuilder& tar) { tar.symlink("x", "/etc/passwd"); }, "is a link to '/etc/passwd', outside"},
        {[](TarBuilder& tar) { tar.hard_link("x", "../x"); }, "is a link to '../x', outside the archive"},
        {[](TarBuilder& tar) { tar.hard_link("x", "/etc/passwd"); }, "outside the archive"},
        {[](TarBuilder& tar) { tar.device("x", S_IFBLK, 8, 0); }, "entry 'x': neither a file nor"},
        {[](TarBuilder& tar) { tar.fifo("x"); }, "entry 'x': neither a file nor"},
        {[](TarBuilder& tar) { tar.file(".wh.manifest.json", ""); }, "means something in a layer only"},
        {[](TarBuilder& tar) { tar.file(std::string(1025, 'x'), ""); }, "a name of more than 1024 bytes"},
    };
    for (const auto& [add, words] : cases) {
        TarBuilder tar;
        add_old_docker_files(tar);
        add(tar);
        EXPECT_SAYS(refusal(tar.finish()), words);
    }
}

TEST_F(ArchiveTest, AFileWithHolesIsRefused) {
    const std::string content = std::string(512, 'x') + std::string(1 << 20, '\0') + "y";
    TarBuilder tar;
    add_old_docker_files(tar).file("holes", content, 0644, [&](archive_entry* entry) {
        archive_entry_sparse_add_entry(entry, 0, 512);
        archive_entry_sparse_add_entry(entry, static_cast<la_int64_t>(content.size()) - 1, 1);
    });
    EXPECT_SAYS(refusal(tar.finish()), "entry 'holes': has holes; pack it without them");
    TarBuilder at_end;
    at_end.file("holes", content, 0644,
                [](archive_entry* entry) { archive_entry_sparse_add_entry(entry, 0, 512); });
    EXPECT_SAYS(refusal(at_end.finish()), "entry 'holes': has");
}

TEST_F(ArchiveTest, AChecksumAtTheEndIsCompared) {
    std::string archive = compress(old_docker_archive() + std::string(300000, '\0'), Compression::gzip);
    archive[archive.size() - 5] ^= 1;
    EXPECT_SAYS(refusal(archive), "image.tar: gzip data is corrupt");
}

TEST_F(ArchiveTest, LinksWithoutEndAreRefused) {
    TarBuilder tar;
    tar.file("c.json", config_of({layer_of("a")})).symlink("a", "b").symlink("b", "a");
    tar.file("manifest.json", json{docker_entry("c.json", {"a"}, {"demo:1"})}.dump());
    EXPECT_SAYS(refusal(tar.finish()), "image.tar/a: is a link that leads nowhere");
}

TEST_F(ArchiveTest, AMemberTwiceIsRefusedUnlessItIsTheSame) {
    const std::string manifest = json{docker_entry("c.json", {"1/layer.tar", "2/layer.tar"}, {"demo:1"})}.dump();
    TarBuilder same;
    add_old_docker_files(same).file("manifest.json", manifest).file("manifest.json", manifest);
    EXPECT_NO_THROW(import(same.finish()));
    fs::remove_all(root());
    for (const bool link : {false, true}) {
        TarBuilder other;
        add_old_docker_files(other).file("manifest.json", manifest);
        if (link)
            other.symlink("manifest.json", "c.json");
        else
            other.file("manifest.json", "[]");
        EXPECT_SAYS(refusal(other.finish()), "entry 'manifest.json': is there twice, and not the same");
    }
}

TEST_F(ArchiveTest, TooManyMembersAreRefused) {
    TarBuilder tar;
    for (int i = 0; i <= 1 << 16; i++)
        tar.symlink(std::to_string(i), "x");
    EXPECT_SAYS(refusal(tar.finish()), "image.tar: has more than 65536 members");
}

TEST_F(ArchiveTest, WhatIsNoImageIsRefusedWithTheReason) {
    TarBuilder none;
    none.file("etc/passwd", "x");
    EXPECT_SAYS(refusal(none.finish()), "image.tar: holds no image: neither index.json");
    EXPECT_SAYS(refusal(""), "holds no image");
    EXPECT_SAYS(refusal("#!/bin/sh\n" + std::string(2000, 'x')), "damaged tar archive");
    EXPECT_SAYS(refusal(std::string("\xfd\x37zXZ\0rest", 10)), "is compressed by xz");
    EXPECT_SAYS(refusal("BZh91AY"), "is compressed by bzip2");
    TarBuilder deeper;
    deeper.file("layout/index.json", "{}").file("layout/oci-layout", "{}");
    EXPECT_SAYS(refusal(deeper.finish()), "it has 'layout/index.json': pack what is in that directory");
}

TEST_F(ArchiveTest, AManifestThatDoesNotMatchIsRefusedWithWhatIsWrong) {
    const auto with_manifest = [&](const std::string& manifest) {
        TarBuilder tar;
        add_old_docker_files(tar).file("other", "x").file("manifest.json", manifest);
        return refusal(tar.finish());
    };
    const auto with_entry = [&](const std::string& config, const json& layers) {
        return with_manifest(json{docker_entry(config, layers, {"demo:1"})}.dump());
    };
    const json good = {"1/layer.tar", "2/layer.tar"};
    EXPECT_SAYS(with_entry("d.json", good), "image.tar/d.json: is not in the archive");
    EXPECT_SAYS(with_entry("c.json", {"1/layer.tar", "3/layer.tar"}), "image.tar/3/layer.tar: is not in");
    EXPECT_SAYS(with_entry("c.json", {"1/layer.tar"}), "image.tar/c.json: lists 2 diff_ids for 1 layers");
    EXPECT_SAYS(with_entry("c.json", {"1/layer.tar", "other"}), "image.tar/other: wrong digest: content is");
    EXPECT_SAYS(with_entry("c.json", {"1/layer.tar", 2}), "'Layers' has the wrong type");
    EXPECT_SAYS(with_entry("other", good), "image.tar/other: is not a JSON object");
    EXPECT_SAYS(with_entry("../../etc/passwd", good), "is not in the archive");
    EXPECT_SAYS(with_manifest("{}"), "image.tar/manifest.json: is not a JSON array");
    EXPECT_SAYS(with_manifest("[1]"), "holds something that is not an object");
    EXPECT_SAYS(with_manifest("[]"), "lists no image");
    EXPECT_SAYS(with_manifest("nonsense"), "image.tar/manifest.json: is not a JSON array");
    EXPECT_SAYS(with_manifest(std::string(5 << 20, ' ')), "manifest.json: larger than 4 MiB");
}

TEST_F(ArchiveTest, AnImageWithoutLayersIsRefused) {
    TarBuilder tar;
    tar.file("c.json", config_of({}))
        .file("manifest.json", json{docker_entry("c.json", nullptr, {"demo:1"})}.dump());
    EXPECT_SAYS(refusal(tar.finish()), "the image has no layers");
}

TEST_F(ArchiveTest, ALayoutThatLacksABlobOrHasAWrongOneIsRefused) {
    make_image("demo");
    const std::string blobs = image_.path() + "/blobs/sha256/";
    for (const std::string& name : names_in(blobs)) {
        const std::string content = read_file(blobs + name);
        fs::remove(blobs + name);
        EXPECT_SAYS(refusal(pack()), "image.tar/blobs/sha256/" + name + ": blob is missing");
        write_file(blobs + name, "x" + content.substr(1));
        EXPECT_SAYS(refusal(pack()), "entry 'blobs/sha256/" + name + "': wrong digest: content is");
        write_file(blobs + name, content);
    }
    write_file(image_.path() + "/oci-layout", R"({"imageLayoutVersion": "2.0.0"})");
    EXPECT_SAYS(refusal(pack()), "image.tar/oci-layout: unknown version '2.0.0'");
}

TEST_F(ArchiveTest, ATruncatedArchiveIsRefusedWhereverItEnds) {
    const std::string plain = old_docker_archive();
    for (const auto compression : {Compression::none, Compression::gzip, Compression::zstd}) {
        const std::string archive = compress(plain, compression);
        // A tar without its end mark, or its padding, is whole all the same.
        const size_t whole = compression == Compression::none ? plain.find("[{\"Config") : archive.size();
        for (size_t size = 0; size < whole; size += whole / 23 + 1)
            EXPECT_NE(refusal(archive.substr(0, size)), "(accepted)") << size << " of " << archive.size();
    }
}

TEST_F(ArchiveTest, AnImportThatIsStoppedLeavesNothing) {
    const std::string archive = old_docker_archive();
    for (size_t after = 0; after < 12; after++) {
        progress_.asked = 0;
        progress_.cancel_after = after;
        EXPECT_SAYS(refusal(archive), "interrupted");
    }
}

TEST_F(ArchiveTest, AnImportThatWaitsForAPipeCanBeStopped) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd from(ends[0]), to(ends[1]);
    progress_.cancel_after = 1;
    EXPECT_THROW(open().import_archive(from.get(), "standard input", "", "", progress_), Cancelled);
    expect_nothing_left();
}

} // namespace shale::test
