// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <exception>
#include <memory>
#include <span>
#include <string>

#include "oci/byte_source.hpp"
#include "oci/tar_entry.hpp"

struct archive;
struct archive_entry;

namespace shale::oci {

/// Reads an uncompressed tar (ustar, pax or GNU, with holes, xattrs and ACLs) entry by entry.
class TarReader {
public:
    /// @p input outlives the reader; @p shown names the blob in messages.
    TarReader(ByteSource& input, std::string shown);
    ~TarReader();
    TarReader(const TarReader&) = delete;
    TarReader& operator=(const TarReader&) = delete;

    /// Moves to the next entry and describes it; false at the end of the archive. Throws Error on a
    /// damaged archive and on a name that is not safe.
    bool next(TarEntry& entry);

    /// A piece of the current entry's content. Between pieces lie holes.
    struct Piece {
        std::span<const std::byte> bytes;
        uint64_t offset = 0;
    };
    /// Fills @p piece; false at the end of the content. What it points at lives until the next
    /// call.
    bool next_piece(Piece& piece);

private:
    struct Free {
        void operator()(archive* handle) const;
    };
    static ssize_t pull(archive* handle, void* self, const void** buffer);
    void describe(archive_entry* raw, TarEntry& entry) const;
    [[noreturn]] void fail(const std::string& thing);

    ByteSource& input_;
    std::string shown_;
    std::string current_;
    uint64_t missing_ = 0;  ///< of its content
    bool at_end_ = false;   ///< of the input
    bool ended_ = false;    ///< with the last entry's content
    std::exception_ptr input_failure_;
    std::unique_ptr<archive, Free> handle_;
};

} // namespace shale::oci
