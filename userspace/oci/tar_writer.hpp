// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "oci/archive_stream.hpp"

namespace shale::oci {

/// Writes a tar of regular files and directories that all look the same: owned by root, at time 0. What
/// goes in decides every byte of it.
class TarWriter {
public:
    /// @p shown names the archive in messages.
    TarWriter(Sink sink, std::string shown);

    void directory(const std::string& name);
    /// Begins a file whose content follows, @p size bytes in all.
    void file(const std::string& name, uint64_t size);
    void content(std::span<const std::byte> bytes);
    /// Ends the archive. Without it, what was written so far can be told from a whole one.
    void finish();

private:
    void header(const std::string& name, unsigned type, unsigned mode, uint64_t size);

    ArchiveStream archive_;
    uint64_t left_ = 0; ///< of the current file
};

} // namespace shale::oci
