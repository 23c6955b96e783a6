// SPDX-License-Identifier: GPL-2.0-or-later
//
// Numbers as people read and write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace shale {

/// "1.5 MiB"
std::string size_text(double bytes);

/// Local date and time of day of a time in seconds.
std::string time_text(int64_t seconds);

/// "1 layer", "2 layers"
std::string count_text(uint64_t count, const std::string& noun);

/// What "10M" means, in bytes: K, M, G and T are powers of 1024. Nothing if it means nothing.
std::optional<uint64_t> parse_size(const std::string& text);

} // namespace shale
