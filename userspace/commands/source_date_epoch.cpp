// SPDX-License-Identifier: GPL-2.0-or-later
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "commands/snapshot.hpp"

namespace shale {

std::optional<std::int64_t> source_date_epoch() {
    const char* text = std::getenv("SOURCE_DATE_EPOCH");
    if (!text || !*text)
        return std::nullopt;
    const std::string_view view(text);
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(view.begin(), view.end(), seconds);
    if (error != std::errc() || end != view.end() || seconds < 0)
        throw Error("SOURCE_DATE_EPOCH", "'" + std::string(view) + "' is no number of seconds since 1970",
                    "set it to one, as by 'date +%s'");
    return seconds;
}

} // namespace shale
