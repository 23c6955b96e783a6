// SPDX-License-Identifier: GPL-2.0-or-later
//
// The tar of a layer, read again by our own reader and looked at byte by byte.
#include "oci/layer_writer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/temporary_directory.hpp"
#include "oci/compress.hpp"
#include "oci/decompress.hpp"
#include "oci/file_extents.hpp"
#include "oci/tar_reader.hpp"

namespace shale::oci {
namespace {

/// Hands out a text in one piece.
class TextSource : public ByteSource {
public:
    explicit TextSource(std::string text) : text_(std::move(text)) {}
    std::span<const std::byte> next() override {
        const auto bytes = std::as_bytes(std::span(text_)).subspan(given_);
        given_ = text_.size();
        return bytes;
    }

private:
    std::string text_;
    size_t given_ = 0;
};

TarEntry entry(mode_t mode, uint64_t size = 0) {
    TarEntry entry;
    entry.mode = mode;
    entry.size = size;
    entry.modified = {1000000000, 123456789};
    return entry;
}

class LayerWriterTest : public testing::Test {
protected:
    LayerWriter writer(std::string& out) const {
        const auto append = [&out](auto bytes) {
            out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        };
        return LayerWriter(append, "layer");
    }

    /// The one entry of a tar that @p write writes.
    TarEntry read_again(const std::function<void(LayerWriter&)>& write) {
        tar_.clear();
        LayerWriter out = writer(tar_);
        write(out);
        out.finish();
        source_ = std::make_unique<TextSource>(tar_);
        reader_ = std::make_unique<TarReader>(*source_, "layer");
        TarEntry found;
        EXPECT_TRUE(reader_->next(found));
        return found;
    }

    std::string tar_;
    std::unique_ptr<TextSource> source_;
    std::unique_ptr<TarReader> reader_;
};

TEST_F(LayerWriterTest, KeepsAllThatAnObjectHas) {
    TarEntry file = entry(S_IFREG | 04751, 3);
    file.uid = 3000000000;
    file.gid = 70000;
    file.xattrs = {{"security.capability", std::string("\1\0\0\2\0", 5)}, {"user.color", "a\nb"}};
    const TarEntry found = read_again([&](LayerWriter& out) {
        out.begin_file("d/odd \xff name", file, {{0, 3}});
        out.content(std::as_bytes(std::span("abc", 3)));
    });
    EXPECT_EQ(found.name.path(), "d/odd \xff name");
    EXPECT_EQ(found.mode, file.mode);
    EXPECT_EQ(found.uid, file.uid);
    EXPECT_EQ(found.gid, file.gid);
    EXPECT_EQ(found.modified.tv_sec, file.modified.tv_sec);
    EXPECT_EQ(found.modified.tv_nsec, file.modified.tv_nsec);
    EXPECT_EQ(found.xattrs, file.xattrs);
    EXPECT_EQ(tar_.find("LIBARCHIVE.xattr"), std::string::npos) << "each attribute twice";
}

TEST_F(LayerWriterTest, KnowsDevicesLinksAndTheRoot) {
    TarEntry device = entry(S_IFBLK | 0600);
    device.device = makedev(259, 1048577);
    EXPECT_EQ(read_again([&](LayerWriter& out) { out.add("disk", device); }).device, device.device);
    TarEntry symlink = entry(S_IFLNK | 0777);
    symlink.link = "../\xfe";
    EXPECT_EQ(read_again([&](LayerWriter& out) { out.add("link", symlink); }).link, symlink.link);
    TarEntry link = entry(S_IFREG | 0644);
    link.hard_link = true;
    link.link = "first";
    const TarEntry found = read_again([&](LayerWriter& out) { out.add("second", link); });
    EXPECT_TRUE(found.hard_link);
    EXPECT_EQ(found.link, "first");
    EXPECT_TRUE(read_again([&](LayerWriter& out) { out.add("", entry(S_IFDIR | 0755)); }).name.is_root());
}

TEST_F(LayerWriterTest, HidesAsImagesDo) {
    TarEntry found = read_again([&](LayerWriter& out) { out.whiteout("d", "gone", {}); });
    EXPECT_EQ(found.name.kind, NameKind::whiteout);
    EXPECT_EQ(found.name.path(), "d/gone");
    found = read_again([&](LayerWriter& out) { out.opaque("d", {}); });
    EXPECT_EQ(found.name.kind, NameKind::opaque);
    EXPECT_EQ(found.name.parent, "d");
    EXPECT_NE(tar_.find("d/.wh..wh..opq"), std::string::npos);
    EXPECT_EQ(read_again([&](LayerWriter& out) { out.whiteout("", "gone", {}); }).name.path(), "gone");
}

TEST_F(LayerWriterTest, WritesNoHoles) {
    constexpr uint64_t size = uint64_t{1} << 40;
    const TarEntry found = read_again([&](LayerWriter& out) {
        out.begin_file("sparse", entry(S_IFREG | 0644, size), {{1 << 20, 3}});
        out.hole(1 << 20);
        out.content(std::as_bytes(std::span("abc", 3)));
        out.hole(size - (1 << 20) - 3);
    });
    EXPECT_EQ(found.size, size);
    EXPECT_LT(tar_.size(), 10000u);
    TarReader::Piece piece;
    ASSERT_TRUE(reader_->next_piece(piece));
    EXPECT_EQ(piece.offset, uint64_t{1} << 20);
    EXPECT_EQ(piece.bytes.size(), 3u);
}

TEST_F(LayerWriterTest, WritesAFileThatIsAllHole) {
    constexpr uint64_t size = uint64_t{5} << 30;
    const TarEntry found = read_again([&](LayerWriter& out) {
        out.begin_file("hole", entry(S_IFREG | 0644, size), {});
        out.hole(size);
    });
    EXPECT_EQ(found.size, size);
    EXPECT_LT(tar_.size(), 10000u);
}

TEST_F(LayerWriterTest, RefusesAFileThatBecameShorterOrLonger) {
    std::string out;
    LayerWriter shorter = writer(out);
    shorter.begin_file("f", entry(S_IFREG | 0644, 3), {{0, 3}});
    EXPECT_THROW(shorter.finish(), Error);
    LayerWriter longer = writer(out);
    longer.begin_file("f", entry(S_IFREG | 0644, 2), {{0, 2}});
    EXPECT_THROW(longer.content(std::as_bytes(std::span("abc", 3))), Error);
}

TEST_F(LayerWriterTest, IsTheSameEachTimeAndThrowsWhatTheSinkThrows) {
    read_again([&](LayerWriter& out) { out.add("d", entry(S_IFDIR | 0755)); });
    const std::string first = tar_;
    read_again([&](LayerWriter& out) { out.add("d", entry(S_IFDIR | 0755)); });
    EXPECT_EQ(first, tar_);
    LayerWriter full([](auto) { throw Error("disk", "is full"); }, "layer");
    EXPECT_THROW(
        {
            full.add("d", entry(S_IFDIR | 0755));
            full.finish();
        },
        Error);
}

class Extents : public testing::Test {
protected:
    std::vector<Extent> of(uint64_t size, const std::vector<std::pair<uint64_t, std::string>>& pieces) {
        const UniqueFd fd = open_at(AT_FDCWD, directory_.path() + "/f", O_RDWR | O_CREAT | O_TRUNC, 0600);
        EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(size)), 0);
        for (const auto& [offset, bytes] : pieces)
            write_all_at(fd.get(), bytes.data(), bytes.size(), offset, "f");
        return file_extents(fd.get(), size, "f");
    }

    TemporaryDirectory directory_;
};

TEST_F(Extents, AreTheWholeWhereLittleWouldBeWon) {
    const std::vector<Extent> whole = {{0, 8 << 20}};
    EXPECT_EQ(of(8 << 20, {{0, "x"}}), whole);
    EXPECT_EQ(of(8 << 20, {}), whole);
    EXPECT_EQ(of(0, {}), (std::vector<Extent>{{0, 0}}));
}

TEST_F(Extents, GoByTheContentAndNotByTheFileSystem) {
    constexpr uint64_t size = 40 << 20;
    const std::vector<Extent> expected = {{0, 65536}, {20 << 20, 65536}, {size - 65536, 65536}};
    EXPECT_EQ(of(size, {{0, "x"}, {(20 << 20) + 7, "x"}, {size - 1, "x"}}), expected);
    std::string written(size, '\0');
    written[0] = written[(20 << 20) + 7] = written[size - 1] = 'x';
    EXPECT_EQ(of(size, {{0, written}}), expected);
}

TEST_F(Extents, OfATerabyteAreFoundAtOnce) {
    constexpr uint64_t size = uint64_t{1} << 40;
    EXPECT_EQ(of(size, {{size - 3, "end"}}), (std::vector<Extent>{{size - 65536, 65536}}));
    EXPECT_EQ(of(size, {}), std::vector<Extent>{});
}

TEST(CompressTest, IsWhatDecompressReads) {
    std::string plain;
    for (int i = 0; i < 200000; i++)
        plain += std::to_string(i);
    for (const Compression kind : {Compression::gzip, Compression::zstd}) {
        std::string out[2];
        for (std::string& one : out) {
            const auto compressor = make_compressor(kind, [&](auto bytes) {
                one.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            });
            compressor->write(std::as_bytes(std::span(plain).first(700000)));
            compressor->write(std::as_bytes(std::span(plain).subspan(700000)));
            compressor->finish();
        }
        EXPECT_EQ(out[0], out[1]);
        EXPECT_LT(out[0].size(), plain.size() / 2);
        TextSource source(out[0]);
        const auto decompressed = decompress(source, std::string("+") + name_of(kind), "layer");
        std::string again;
        for (auto bytes = decompressed->next(); !bytes.empty(); bytes = decompressed->next())
            again.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        EXPECT_EQ(again, plain);
    }
}

} // namespace
} // namespace shale::oci
