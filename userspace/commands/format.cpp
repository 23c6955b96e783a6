// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/format.hpp"

#include <charconv>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <string_view>

namespace shale {

std::string size_text(double bytes) {
    const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    for (; bytes >= 1000 && unit + 1 < std::size(units); unit++)
        bytes /= 1024;
    char text[32];
    std::snprintf(text, sizeof(text), unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes,
                  units[unit]);
    return text;
}

std::string time_text(int64_t seconds) {
    const time_t time = seconds;
    struct tm local;
    char text[32] = "";
    if (localtime_r(&time, &local))
        std::strftime(text, sizeof(text), "%F %H:%M", &local);
    return text;
}

std::string count_text(uint64_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::optional<uint64_t> parse_size(const std::string& text) {
    uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc())
        return std::nullopt;
    const std::string_view unit(stop, static_cast<size_t>(end - stop));
    if (unit.empty())
        return number;
    const size_t power = std::string_view("KMGT").find(unit.front());
    if (power == std::string_view::npos || (unit.size() > 1 && unit.substr(1) != "iB"))
        return std::nullopt;
    const unsigned shift = 10 * (static_cast<unsigned>(power) + 1);
    if (number > UINT64_MAX >> shift)
        return std::nullopt;
    return number << shift;
}

} // namespace shale
