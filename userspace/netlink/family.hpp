// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which generic netlink family is the module's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace shale::netlink {

/// The family of the module that is loaded.
struct Family {
    std::string name;     ///< which the module and its file system type have as well
    std::uint16_t number; ///< of this boot
};

/// What the module is called where it was built to stand in for overlayfs. That has no family, so
/// that one of this name is always ours.
inline constexpr const char* stand_in_name = "overlay";

/// Asks `number_of` for the names that the module may have, "shale" first, and returns the first
/// that has a number.
std::optional<Family>
find_family(const std::function<std::optional<std::uint16_t>(const std::string&)>& number_of);

} // namespace shale::netlink
