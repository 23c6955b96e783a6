// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "base/progress.hpp"
#include "oci/byte_source.hpp"

namespace shale::oci {

/// What is left of an open file, which may be a pipe. Waiting for whoever writes it can be cancelled.
class StreamSource : public ByteSource {
public:
    /// @p shown names the file in messages. @p fd and @p progress outlive the source.
    StreamSource(int fd, std::string shown, Progress& progress);

    std::span<const std::byte> next() override;

private:
    int fd_;
    std::string shown_;
    Progress& progress_;
    std::vector<std::byte> buffer_;
};

} // namespace shale::oci
