// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/limits.hpp"

#include "commands/event_kinds.hpp"
#include "commands/format.hpp"
#include "commands/globals.hpp"

namespace shale {

namespace {

nlohmann::json upper_json(const netlink::UpperLimits& limits) {
    return {{"size", limits.size},
            {"inodes", limits.inodes},
            {"size_used", json_or_null(limits.size_used)},
            {"inodes_used", json_or_null(limits.inodes_used)},
            {"project", json_or_null(limits.project)}};
}

/// "1048576 bytes, 4096 used", "no limit, 4096 used", "1048576 bytes, of project 7"
std::string limit_text(std::uint64_t most, const std::string& noun, std::optional<std::uint64_t> used,
                       std::optional<std::uint32_t> project) {
    std::string text = most ? count_text(most, noun) : "no limit";
    if (used)
        text += ", " + std::to_string(*used) + " used";
    if (project)
        text += ", of project " + std::to_string(*project);
    return text;
}

} // namespace

nlohmann::json limits_json(const netlink::MountRecord& mount) {
    auto kinds = nlohmann::json::array();
    for (const auto kind : netlink::event_kinds()) {
        if (mount.events & bit_of(kind))
            kinds.push_back(name_of(kind));
    }
    return {{"events", kinds},
            {"event_rate", mount.event_rate},
            {"max_copy_up", mount.max_copy_up},
            {"upper", mount.upper_limits ? upper_json(*mount.upper_limits) : nlohmann::json()}};
}

void print_limits(const netlink::MountRecord& mount, const std::string& indent, std::ostream& out) {
    out << indent << "events           " << events_text(mount.events) << "\n"
        << indent << "event rate       "
        << (mount.event_rate ? std::to_string(mount.event_rate) + " in a second" : "no limit") << "\n"
        << indent << "largest copy-up  "
        << (mount.max_copy_up ? count_text(mount.max_copy_up, "byte") : "no limit")
        << "\n";
    if (const auto& upper = mount.upper_limits)
        out << indent << "size             "
            << limit_text(upper->size, "byte", upper->size_used, upper->project) << "\n"
            << indent << "objects          "
            << limit_text(upper->inodes, "object", upper->inodes_used, upper->project) << "\n";
}

} // namespace shale
