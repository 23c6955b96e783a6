// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/compress.hpp"

#include <utility>
#include <vector>

#include <zlib.h>
#include <zstd.h>

#include "base/error.hpp"

namespace shale::oci {

namespace {

constexpr size_t chunk = 256 * 1024;

class GzipCompressor : public Compressor {
public:
    explicit GzipCompressor(Sink sink) : sink_(std::move(sink)), buffer_(chunk) {
        // 16: a gzip header, in which zlib writes neither a name nor a time.
        if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8,
                         Z_DEFAULT_STRATEGY) != Z_OK)
            throw Error("gzip", "zlib has no memory");
    }
    ~GzipCompressor() override { deflateEnd(&stream_); }
    GzipCompressor(const GzipCompressor&) = delete;
    GzipCompressor& operator=(const GzipCompressor&) = delete;

    void write(std::span<const std::byte> bytes) override {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
        stream_.avail_in = static_cast<uInt>(bytes.size());
        while (stream_.avail_in > 0)
            step(Z_NO_FLUSH);
    }

    void finish() override {
        while (step(Z_FINISH) != Z_STREAM_END) {
        }
    }

private:
    int step(int flush) {
        stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_out = chunk;
        const int result = deflate(&stream_, flush);
        if (const size_t size = chunk - stream_.avail_out; size > 0)
            sink_({buffer_.data(), size});
        return result;
    }

    Sink sink_;
    std::vector<std::byte> buffer_;
    z_stream stream_ = {};
};

class ZstdCompressor : public Compressor {
public:
    explicit ZstdCompressor(Sink sink) : sink_(std::move(sink)), buffer_(chunk), stream_(ZSTD_createCCtx()) {
        if (!stream_)
            throw Error("zstd", "libzstd has no memory");
        ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_checksumFlag, 1);
    }

    void write(std::span<const std::byte> bytes) override {
        ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
        while (in.pos < in.size)
            step(in, ZSTD_e_continue);
    }

    void finish() override {
        ZSTD_inBuffer in = {nullptr, 0, 0};
        while (step(in, ZSTD_e_end) != 0) {
        }
    }

private:
    struct Free {
        void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    };

    size_t step(ZSTD_inBuffer& in, ZSTD_EndDirective how) {
        ZSTD_outBuffer out = {buffer_.data(), chunk, 0};
        const size_t left = ZSTD_compressStream2(stream_.get(), &out, &in, how);
        if (ZSTD_isError(left))
            throw Error("zstd", ZSTD_getErrorName(left));
        if (out.pos > 0)
            sink_({buffer_.data(), out.pos});
        return left;
    }

    Sink sink_;
    std::vector<std::byte> buffer_;
    std::unique_ptr<ZSTD_CCtx, Free> stream_;
};

} // namespace

const char* name_of(Compression compression) {
    return compression == Compression::gzip ? "gzip" : "zstd";
}

std::unique_ptr<Compressor> make_compressor(Compression compression, Sink sink) {
    if (compression == Compression::gzip)
        return std::make_unique<GzipCompressor>(std::move(sink));
    return std::make_unique<ZstdCompressor>(std::move(sink));
}

} // namespace shale::oci
