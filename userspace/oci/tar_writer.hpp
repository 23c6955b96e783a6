// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>

struct archive;

namespace shale::oci {

/// Writes a tar of regular files and directories that all look the same: owned by root, at time 0. What
/// goes in decides every byte of it.
class TarWriter {
public:
    /// Takes the archive's bytes; what it throws, the calls below throw.
    using Sink = std::function<void(std::span<const std::byte>)>;

    /// @p shown names the archive in messages.
    TarWriter(Sink sink, std::string shown);
    ~TarWriter();
    TarWriter(const TarWriter&) = delete;
    TarWriter& operator=(const TarWriter&) = delete;

    void directory(const std::string& name);
    /// Begins a file whose content follows, @p size bytes in all.
    void file(const std::string& name, uint64_t size);
    void content(std::span<const std::byte> bytes);
    /// Ends the archive. Without it, what was written so far can be told from a whole one.
    void finish();

private:
    struct Free {
        void operator()(archive* handle) const;
    };
    static ssize_t push(archive* handle, void* self, const void* bytes, size_t size);
    void header(const std::string& name, unsigned type, unsigned mode, uint64_t size);
    void check(int result);

    Sink sink_;
    std::string shown_;
    std::exception_ptr failure_;
    std::unique_ptr<archive, Free> handle_;
    uint64_t left_ = 0; ///< of the current file
};

} // namespace shale::oci
