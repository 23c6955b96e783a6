// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One request and its answer, as a state machine over received bytes.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace shale::netlink {

/// Follows the answer to one request through the datagrams it comes in.
class Exchange {
public:
    using Handler = std::function<void(const nlmsghdr*)>;

    /// Expects the answer to the request `sequence`, and hands its messages to `handler`.
    Exchange(std::uint32_t sequence, Handler handler);

    /// Takes in one datagram. Returns whether the answer is complete. Throws Refused if the kernel
    /// reports an error; messages of other requests are passed over.
    bool feed(const void* datagram, std::size_t size);

    /// Whether the kernel said that the list changed while it was being sent, so that it should
    /// be asked for again.
    bool interrupted() const noexcept { return interrupted_; }

private:
    std::uint32_t sequence_;
    Handler handler_;
    bool interrupted_ = false;
};

} // namespace shale::netlink
