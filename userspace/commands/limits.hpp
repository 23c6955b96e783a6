// SPDX-License-Identifier: GPL-2.0-or-later
//
// What "shale set" changes, as commands show it.
#pragma once

#include <ostream>
#include <string>

#include <nlohmann/json.hpp>

#include "netlink/mount_record.hpp"

namespace shale {

nlohmann::json limits_json(const netlink::MountRecord& mount);

/// One a line, each line beginning with @p indent.
void print_limits(const netlink::MountRecord& mount, const std::string& indent, std::ostream& out);

} // namespace shale
