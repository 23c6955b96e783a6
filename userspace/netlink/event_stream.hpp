// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Events of mounts as they happen.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "netlink/connection.hpp"
#include "netlink/event_reader.hpp"

namespace shale::netlink {

/// A socket of its own that events are sent to, from the moment it is made. Not to be shared
/// between threads.
class EventStream {
public:
    /// Joins the multicast groups of these names (SHALE_MCGRP_*). Throws shale::Error, which says
    /// so if the module is not loaded or does not let the caller listen.
    static EventStream open(const std::set<std::string>& groups);

    /// To wait with poll(2) until there is something to read. It never blocks.
    int fd() const noexcept;

    /// What came next; nothing if nothing has come since. Throws shale::Error, or
    /// std::runtime_error for an event that makes no sense.
    std::optional<Notice> next();

private:
    EventStream(Socket socket, std::uint16_t family)
        : socket_(std::move(socket)), reader_(family) {}

    Socket socket_;
    EventReader reader_;
};

} // namespace shale::netlink
