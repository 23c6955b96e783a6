// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/decompress.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/image_builder.hpp"

namespace shale::oci {

namespace {

using test::compress;
using test::Compression;

/// Hands out a string in pieces of a given size.
class StringSource : public ByteSource {
public:
    StringSource(std::string data, size_t piece) : data_(std::move(data)), piece_(piece) {}

    std::span<const std::byte> next() override {
        const size_t size = std::min(piece_, data_.size() - position_);
        const auto* begin = reinterpret_cast<const std::byte*>(data_.data()) + position_;
        position_ += size;
        return {begin, size};
    }

private:
    std::string data_;
    size_t piece_;
    size_t position_ = 0;
};

std::string decompressed(const std::string& data, const std::string& media_type = "tar",
                         size_t piece = 1000) {
    StringSource input(data, piece);
    const std::unique_ptr<ByteSource> source = decompress(input, media_type, "blob");
    std::string out;
    for (std::span<const std::byte> bytes = source->next(); !bytes.empty(); bytes = source->next())
        out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return out;
}

/// Several megabytes that compress, but not to nothing.
std::string sample() {
    std::string data;
    for (unsigned i = 0, x = 1; i < 400000; i++, x = x * 1103515245 + 12345)
        data += std::to_string(x >> 16);
    return data;
}

} // namespace

class DecompressTest : public ::testing::TestWithParam<Compression> {};

INSTANTIATE_TEST_SUITE_P(Formats, DecompressTest,
                         ::testing::Values(Compression::gzip, Compression::zstd));

TEST_P(DecompressTest, GivesBackWhatWasCompressed) {
    const std::string data = sample();
    EXPECT_EQ(decompressed(compress(data, GetParam())), data);
    EXPECT_EQ(decompressed(compress(data, GetParam()), "tar", 7), data);
    EXPECT_EQ(decompressed(compress(data, GetParam()), "tar", 1 << 20), data);
    EXPECT_EQ(decompressed(compress("", GetParam())), "");
}

TEST_P(DecompressTest, StreamsInARowAreOne) {
    const std::string twice = compress("one", GetParam()) + compress("two", GetParam());
    EXPECT_EQ(decompressed(twice), "onetwo");
}

TEST_P(DecompressTest, TruncatedDataIsAnErrorWhereverItEnds) {
    const std::string whole = compress(sample(), GetParam());
    for (size_t size : {whole.size() - 1, whole.size() - 5, whole.size() / 2, size_t{20}})
        EXPECT_THROW(decompressed(whole.substr(0, size)), Error) << size;
}

TEST_P(DecompressTest, CorruptDataIsAnError) {
    std::string data = compress(sample(), GetParam());
    for (size_t i = 100; i < 200; i++)
        data[i] = '\xff';
    EXPECT_THROW(decompressed(data), Error);
}

TEST(Decompress, PlainDataPassesThrough) {
    EXPECT_EQ(decompressed(sample()), sample());
    EXPECT_EQ(decompressed(""), "");
}

TEST(Decompress, TheBytesCountWhereTheMediaTypeClaimsLess) {
    EXPECT_EQ(decompressed(compress("x", Compression::gzip), "layer.v1.tar"), "x");
    EXPECT_EQ(decompressed(compress("x", Compression::zstd), "layer.v1.tar+gzip"), "x");
}

TEST(Decompress, ACompressedMediaTypeOverPlainBytesIsAnError) {
    EXPECT_THROW(decompressed("plain", "layer.v1.tar+gzip"), Error);
    EXPECT_THROW(decompressed("plain", "layer.v1.tar+zstd"), Error);
}

TEST(Decompress, GarbageAfterTheEndIsAnError) {
    EXPECT_THROW(decompressed(compress("x", Compression::gzip) + "garbage"), Error);
    EXPECT_THROW(decompressed(compress("x", Compression::zstd) + "garbage"), Error);
}

} // namespace shale::oci
