// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/decompress.hpp"

#include <cstring>
#include <utility>
#include <vector>

#include <zlib.h>
#include <zstd.h>

#include "base/error.hpp"

namespace shale::oci {

namespace {

constexpr size_t chunk = 512 * 1024;

[[noreturn]] void damaged(const std::string& shown, const std::string& reason) {
    throw Error(shown, reason, "the image is damaged: copy it again");
}

/// Gives back the first piece of @p input, which had to be looked at.
class PlainSource : public ByteSource {
public:
    PlainSource(std::span<const std::byte> first, ByteSource& input)
        : first_(first), input_(input) {}

    std::span<const std::byte> next() override {
        if (!first_.empty())
            return std::exchange(first_, {});
        return input_.next();
    }

private:
    std::span<const std::byte> first_;
    ByteSource& input_;
};

class GzipSource : public ByteSource {
public:
    GzipSource(std::span<const std::byte> first, ByteSource& input, std::string shown)
        : input_(input), shown_(std::move(shown)), buffer_(chunk) {
        if (inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) // 16: gzip header and trailer
            throw Error(shown_, "zlib has no memory");
        feed(first);
    }
    ~GzipSource() override { inflateEnd(&stream_); }

    std::span<const std::byte> next() override {
        stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_out = chunk;
        while (stream_.avail_out > 0 && refill())
            inflate_some();
        return {buffer_.data(), chunk - stream_.avail_out};
    }

private:
    void feed(std::span<const std::byte> bytes) {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
        stream_.avail_in = static_cast<uInt>(bytes.size());
    }

    /// False at the end of the input, which must be the end of a gzip member.
    bool refill() {
        if (stream_.avail_in == 0)
            feed(input_.next());
        if (stream_.avail_in > 0)
            return true;
        if (!between_members_)
            damaged(shown_, "gzip data is truncated");
        return false;
    }

    void inflate_some() {
        const int result = inflate(&stream_, Z_NO_FLUSH);
        between_members_ = result == Z_STREAM_END;
        if (between_members_) // several members in a row are one stream
            inflateReset(&stream_);
        else if (result != Z_OK)
            damaged(shown_, std::string("gzip data is corrupt") +
                                (stream_.msg ? std::string(" (") + stream_.msg + ")" : ""));
    }

    ByteSource& input_;
    std::string shown_;
    std::vector<std::byte> buffer_;
    z_stream stream_ = {};
    bool between_members_ = false;
};

class ZstdSource : public ByteSource {
public:
    ZstdSource(std::span<const std::byte> first, ByteSource& input, std::string shown)
        : input_(input), shown_(std::move(shown)), buffer_(chunk), stream_(ZSTD_createDStream()) {
        if (!stream_)
            throw Error(shown_, "libzstd has no memory");
        feed(first);
    }

    std::span<const std::byte> next() override {
        ZSTD_outBuffer out = {buffer_.data(), chunk, 0};
        // What the decoder still holds of a full buffer comes out without new input.
        while (out.pos < out.size && (flushing_ || refill())) {
            const size_t result = ZSTD_decompressStream(stream_.get(), &out, &in_);
            if (ZSTD_isError(result))
                damaged(shown_,
                        std::string("zstd data is corrupt (") + ZSTD_getErrorName(result) + ")");
            between_frames_ = result == 0;
            flushing_ = out.pos == out.size && !between_frames_;
        }
        return {buffer_.data(), out.pos};
    }

private:
    struct Free {
        void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
    };

    void feed(std::span<const std::byte> bytes) { in_ = {bytes.data(), bytes.size(), 0}; }

    bool refill() {
        if (in_.pos == in_.size)
            feed(input_.next());
        if (in_.pos < in_.size)
            return true;
        if (!between_frames_)
            damaged(shown_, "zstd data is truncated");
        return false;
    }

    ByteSource& input_;
    std::string shown_;
    std::vector<std::byte> buffer_;
    std::unique_ptr<ZSTD_DStream, Free> stream_;
    ZSTD_inBuffer in_ = {};
    bool between_frames_ = false;
    bool flushing_ = false;
};

bool begins_with(std::span<const std::byte> bytes, std::string_view magic) {
    return bytes.size() >= magic.size() &&
           std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

bool is_zstd(std::span<const std::byte> bytes) {
    // A frame, or one of the sixteen kinds of skippable frame that may precede it.
    using namespace std::string_view_literals;
    return begins_with(bytes, "\x28\xb5\x2f\xfd"sv) ||
           (bytes.size() >= 4 && (static_cast<unsigned>(bytes[0]) & 0xf0) == 0x50 &&
            begins_with(bytes.subspan(1), "\x2a\x4d\x18"sv));
}

/// A compression that others read, and that is not known here.
std::string foreign_compression(std::span<const std::byte> bytes) {
    using namespace std::string_view_literals;
    if (begins_with(bytes, "\xfd\x37zXZ\0"sv))
        return "xz";
    return begins_with(bytes, "BZh") ? "bzip2" : "";
}

} // namespace

std::string compression_of(std::span<const std::byte> begin) {
    if (begins_with(begin, "\x1f\x8b"))
        return "gzip";
    return is_zstd(begin) ? "zstd" : "";
}

std::unique_ptr<ByteSource> decompress(ByteSource& input, const std::string& media_type,
                                       const std::string& shown) {
    const std::span<const std::byte> first = input.next();
    const std::string compression = compression_of(first);
    if (compression == "gzip")
        return std::make_unique<GzipSource>(first, input, shown);
    if (compression == "zstd")
        return std::make_unique<ZstdSource>(first, input, shown);
    for (const char* format : {"gzip", "zstd"}) {
        if (media_type.ends_with(format))
            damaged(shown, "not " + std::string(format) + " data, although the manifest says so");
    }
    if (const std::string other = foreign_compression(first); !other.empty())
        throw Error(shown, "is compressed by " + other + ", and only gzip and zstd are known",
                    "decompress it: '" + other + " -d'");
    return std::make_unique<PlainSource>(first, input);
}

} // namespace shale::oci
