// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/limits.hpp"

#include "commands/event_kinds.hpp"
#include "commands/format.hpp"

namespace shale {

nlohmann::json limits_json(const netlink::MountRecord& mount) {
    auto kinds = nlohmann::json::array();
    for (const auto kind : netlink::event_kinds()) {
        if (mount.events & bit_of(kind))
            kinds.push_back(name_of(kind));
    }
    return {{"events", kinds},
            {"event_rate", mount.event_rate},
            {"max_copy_up", mount.max_copy_up}};
}

void print_limits(const netlink::MountRecord& mount, const std::string& indent, std::ostream& out) {
    out << indent << "events           " << events_text(mount.events) << "\n"
        << indent << "event rate       "
        << (mount.event_rate ? std::to_string(mount.event_rate) + " in a second" : "no limit") << "\n"
        << indent << "largest copy-up  "
        << (mount.max_copy_up ? count_text(mount.max_copy_up, "byte") : "no limit")
        << "\n";
}

} // namespace shale
