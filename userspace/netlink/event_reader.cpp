// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/event_reader.hpp"

#include <linux/genetlink.h>

#include <optional>

#include "netlink/attributes.hpp"

namespace shale::netlink {

namespace {

std::uint8_t command_of(const nlmsghdr* message) {
    return static_cast<const genlmsghdr*>(nlmsg_data(message))->cmd;
}

} // namespace

void EventReader::feed(const void* datagram, std::size_t size) {
    auto* message = static_cast<nlmsghdr*>(const_cast<void*>(datagram));
    for (auto rest = static_cast<int>(size); nlmsg_ok(message, rest);
         message = nlmsg_next(message, &rest)) {
        if (!nlmsg_valid_hdr(message, GENL_HDRLEN))
            continue;
        if (message->nlmsg_type == family_ && command_of(message) == SHALE_CMD_EVENT)
            add(decode_event(message));
        else if (is_our_end(message))
            notices_.emplace_back(Unloaded{});
    }
}

bool EventReader::is_our_end(const nlmsghdr* message) const {
    if (message->nlmsg_type != GENL_ID_CTRL || command_of(message) != CTRL_CMD_DELFAMILY)
        return false;
    bool ours = false;
    for_each_attribute(message, [&](const nlattr* attribute) {
        if (nla_type(attribute) == CTRL_ATTR_FAMILY_ID && nla_len(attribute) >= 2)
            ours = nla_get_u16(const_cast<nlattr*>(attribute)) == family_;
    });
    return ours;
}

void EventReader::add(Event event) {
    Arrival arrival{std::move(event), 0, 0};
    const Last now{arrival.event.seq, arrival.event.dropped};
    const auto [last, first] = last_.try_emplace(arrival.event.mount, now);
    if (!first) {
        if (now.seq > last->second.seq + 1)
            arrival.missing = now.seq - last->second.seq - 1;
        if (now.dropped > last->second.dropped)
            arrival.dropped = now.dropped - last->second.dropped;
        last->second = now;
    }
    if (arrival.event.kind == EventKind::unmounted)
        last_.erase(last);
    notices_.emplace_back(std::move(arrival));
}

std::optional<Notice> EventReader::next() {
    if (notices_.empty())
        return std::nullopt;
    Notice oldest = std::move(notices_.front());
    notices_.pop_front();
    return oldest;
}

} // namespace shale::netlink
