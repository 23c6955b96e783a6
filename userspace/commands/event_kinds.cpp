// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/event_kinds.hpp"

#include <sstream>

#include <CLI/CLI.hpp>

#include "base/join.hpp"

namespace shale {

namespace {

uint32_t all_bits() {
    uint32_t mask = 0;
    for (const auto kind : netlink::event_kinds())
        mask |= bit_of(kind);
    return mask;
}

} // namespace

std::vector<netlink::EventKind> parse_kinds(const std::string& list) {
    std::vector<netlink::EventKind> kinds;
    std::istringstream words(list);
    for (std::string word; std::getline(words, word, ',');) {
        const auto kind = netlink::event_kind_named(word);
        if (!kind)
            throw CLI::ValidationError("\"" + word + "\" is no kind of event; there are " +
                                       kinds_text());
        kinds.push_back(*kind);
    }
    return kinds;
}

uint32_t event_mask(const std::string& list) {
    if (list == "all")
        return all_bits();
    uint32_t mask = 0;
    if (list != "none") {
        for (const auto kind : parse_kinds(list))
            mask |= bit_of(kind);
    }
    return mask;
}

std::string events_text(uint32_t mask) {
    if (mask == 0)
        return "none";
    if ((mask & all_bits()) == all_bits())
        return "all";
    std::vector<std::string> words;
    for (const auto kind : netlink::event_kinds()) {
        if (mask & bit_of(kind))
            words.push_back(name_of(kind));
    }
    return join(words, ",");
}

std::string kinds_text() {
    std::vector<std::string> words;
    for (const auto kind : netlink::event_kinds())
        words.push_back(name_of(kind));
    return join(words, ", ");
}

} // namespace shale
