// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/counters.hpp"

#include <cstdio>
#include <cstring>

#include "commands/format.hpp"

namespace shale {

std::string errno_name(uint32_t code) {
    const char* const name = strerrorname_np(static_cast<int>(code));
    return name ? name : std::to_string(code);
}

std::string errors_text(const std::map<uint32_t, uint64_t>& errors) {
    std::string text;
    for (const auto& [code, count] : errors)
        text += (text.empty() ? "" : ", ") + errno_name(code) + " " + std::to_string(count);
    return text.empty() ? "-" : text;
}

std::string saved_text(uint64_t probes, uint64_t saved) {
    const double all = static_cast<double>(probes) + static_cast<double>(saved);
    if (all == 0)
        return "-";
    char text[16];
    std::snprintf(text, sizeof(text), "%.0f %%", 100 * static_cast<double>(saved) / all);
    return text;
}

nlohmann::json counters_json(const netlink::CountersRecord& counters, bool layers) {
    auto errors = nlohmann::json::object();
    for (const auto& [code, count] : counters.errors)
        errors[errno_name(code)] = count;
    nlohmann::json document = {{"id", counters.id},
                               {"copy_ups", counters.copy_ups},
                               {"copy_up_bytes", counters.copy_up_bytes},
                               {"whiteouts", counters.whiteouts},
                               {"redirects", counters.redirects},
                               {"look_ups", counters.look_ups},
                               {"probes", counters.probes},
                               {"probes_saved", counters.probes_saved},
                               {"listings", counters.listings},
                               {"listed_names", counters.listed_names},
                               {"listing_bytes", counters.listing_bytes},
                               {"reopens", counters.reopens},
                               {"events", counters.events},
                               {"events_dropped", counters.events_dropped},
                               {"errors", errors}};
    if (!layers)
        return document;
    document["layers"] = nlohmann::json::array();
    for (const auto& layer : counters.layers)
        document["layers"].push_back({{"lower", layer.lower},
                                      {"copy_ups", layer.copy_ups},
                                      {"copy_up_bytes", layer.copy_up_bytes},
                                      {"look_ups", layer.look_ups}});
    return document;
}

void print_counters(const netlink::CountersRecord& counters, const std::string& indent,
                    std::ostream& out) {
    const auto line = [&](const char* what, const std::string& value) {
        char padded[32];
        std::snprintf(padded, sizeof(padded), "%-17s", what);
        out << indent << padded << value << "\n";
    };
    const auto number = [](uint64_t value) { return std::to_string(value); };
    const auto size = [](uint64_t bytes) { return size_text(static_cast<double>(bytes)); };
    line("copied up", number(counters.copy_ups) + ", with data of " + size(counters.copy_up_bytes));
    line("whiteouts made", number(counters.whiteouts));
    line("redirects made", number(counters.redirects));
    line("look-ups", number(counters.look_ups));
    line("layers asked", number(counters.probes) + " times; " + number(counters.probes_saved) +
                             " times saved by listings (" +
                             saved_text(counters.probes, counters.probes_saved) + ")");
    line("listings", number(counters.listings) + " of " + number(counters.listed_names) +
                         " names, " + size(counters.listing_bytes) + " of memory");
    line("files re-opened", number(counters.reopens));
    line("events", number(counters.events) + ", " + number(counters.events_dropped) +
                       " of them dropped");
    line("errors", errors_text(counters.errors));
}

} // namespace shale
