// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>

struct archive;

namespace shale::oci {

/// Takes the bytes of something that is written from begin to end. What it throws comes out of whatever
/// call made it write.
using Sink = std::function<void(std::span<const std::byte>)>;

/// A tar that libarchive writes, uncompressed, to a sink.
class ArchiveStream {
public:
    /// Makes an archive that is not open yet, so that its format can be chosen. @p shown names it in
    /// messages.
    ArchiveStream(Sink sink, std::string shown);
    ~ArchiveStream();
    ArchiveStream(const ArchiveStream&) = delete;
    ArchiveStream& operator=(const ArchiveStream&) = delete;

    archive* get() const { return handle_.get(); }
    const std::string& shown() const { return shown_; }
    void open();
    /// Ends the archive. Without it, what was written so far can be told from a whole one.
    void close();
    /// Throws Error, or what the sink has thrown, unless @p result of a call is good.
    void check(ssize_t result);

private:
    struct Free {
        void operator()(archive* handle) const;
    };
    static ssize_t push(archive* handle, void* self, const void* bytes, size_t size);

    Sink sink_;
    std::string shown_;
    std::exception_ptr failure_;
    std::unique_ptr<archive, Free> handle_;
};

} // namespace shale::oci
