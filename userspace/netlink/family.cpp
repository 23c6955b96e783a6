// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/family.hpp"

#include <linux/shale.h>

namespace shale::netlink {

std::optional<Family>
find_family(const std::function<std::optional<std::uint16_t>(const std::string&)>& number_of) {
    for (const std::string name : {SHALE_FAMILY_NAME, stand_in_name}) {
        if (const auto number = number_of(name))
            return Family{name, *number};
    }
    return std::nullopt;
}

} // namespace shale::netlink
