// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A request that the kernel refused, with everything it said about the reason.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "netlink/message.hpp"

namespace shale::netlink {

/// Thrown when the kernel answers with an error.
class Refused : public std::runtime_error {
public:
    Refused(int error, std::string message, std::optional<std::uint32_t> offset);

    /// The positive errno.
    int error() const noexcept { return error_; }
    /// The kernel's own words; empty if it said nothing.
    const std::string& message() const noexcept { return message_; }
    /// Where in the request the culprit stands, if the kernel pointed at a byte.
    const std::optional<std::uint32_t>& offset() const noexcept { return offset_; }

    /// The attribute at fault; the client fills it in, as it has the request.
    std::optional<AttributePosition> attribute;

    /// What of the mount stands in the way, by its path from the root of that, where the kernel
    /// named something.
    std::optional<std::string> path;

private:
    int error_;
    std::string message_;
    std::optional<std::uint32_t> offset_;
};

/// Decodes an NLMSG_ERROR, or an NLMSG_DONE that carries an error; nothing if it reports success.
/// Throws std::runtime_error if the message is too short to be either.
std::optional<Refused> decode_refusal(const nlmsghdr* message);

} // namespace shale::netlink
