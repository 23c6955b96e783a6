// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Events out of the bytes they come in, and what is missing between them. No socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <variant>

#include "netlink/event.hpp"

namespace shale::netlink {

/// An event as it came in.
struct Arrival {
    Event event;
    /// How many numbers of its mount lie between the last arrival and this one: events that others
    /// were sent, or nobody. Those of groups that were not joined are among them.
    std::uint64_t missing = 0;
    /// How many of them the kernel dropped: above the mount's rate, or for want of memory.
    std::uint64_t dropped = 0;
};

/// The socket was full: an unknown number of events, of whatever mounts, is lost.
struct Overrun {};

/// The module was unloaded; nothing comes any more.
struct Unloaded {};

using Notice = std::variant<Arrival, Overrun, Unloaded>;

/// Puts what a socket receives into order.
class EventReader {
public:
    /// `family` is the number that the module's family has in this boot.
    explicit EventReader(std::uint16_t family) : family_(family) {}

    /// Takes in one datagram. Messages that are no events are passed over. Throws
    /// std::runtime_error for an event that makes no sense; those before it are kept.
    void feed(const void* datagram, std::size_t size);

    /// Takes in that the socket was full.
    void overrun() { notices_.emplace_back(Overrun{}); }

    /// The oldest notice that was not taken yet.
    std::optional<Notice> next();

private:
    void add(Event event);
    bool is_our_end(const nlmsghdr* message) const;

    std::uint16_t family_;
    std::deque<Notice> notices_;
    /// What the last arrival of a mount said, while that lives.
    struct Last {
        std::uint64_t seq;
        std::uint64_t dropped;
    };
    std::map<std::uint64_t, Last> last_;
};

} // namespace shale::netlink
