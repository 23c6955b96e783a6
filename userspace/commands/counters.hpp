// SPDX-License-Identifier: GPL-2.0-or-later
//
// A mount's counters as commands show them.
#pragma once

#include <ostream>
#include <string>

#include <nlohmann/json.hpp>

#include "netlink/counters_record.hpp"

namespace shale {

/// All of them, for scripts; with @p layers those of each layer as well.
nlohmann::json counters_json(const netlink::CountersRecord& counters, bool layers);

/// All of them, one a line, each line beginning with @p indent.
void print_counters(const netlink::CountersRecord& counters, const std::string& indent,
                    std::ostream& out);

/// How many of the times that a layer would have been asked for a name, a listing answered: "93 %";
/// "-" where nothing was asked.
std::string saved_text(uint64_t probes, uint64_t saved);

/// "EIO 2, ENOSPC 1"; "-" if there were none.
std::string errors_text(const std::map<uint32_t, uint64_t>& errors);

/// "ENOSPC"
std::string errno_name(uint32_t code);

} // namespace shale
