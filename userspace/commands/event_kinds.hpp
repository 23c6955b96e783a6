// SPDX-License-Identifier: GPL-2.0-or-later
//
// Kinds of events as they are typed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "netlink/event.hpp"

namespace shale {

/// The kinds in @p list, separated by commas. Throws CLI::ValidationError for a word that is none.
std::vector<netlink::EventKind> parse_kinds(const std::string& list);

/// The bits of the kinds in @p list, which may also be "all" or "none".
uint32_t event_mask(const std::string& list);

/// What @p mask says, as event_mask() reads it.
std::string events_text(uint32_t mask);

/// All kinds, for help texts.
std::string kinds_text();

} // namespace shale
