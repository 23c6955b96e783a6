// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Values of attributes as the kernel sends them. Nothing is taken from beyond an attribute's end.
#pragma once

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include <cstdint>
#include <string>

namespace shale::netlink {

/// Up to the first null byte, or all of it if there is none.
std::string text(const nlattr* attribute);

/// Throws std::runtime_error if it has fewer than four bytes.
std::uint32_t u32(const nlattr* attribute);

/// A u64, or what later kernels send for it when it is small. Throws std::runtime_error if it has
/// fewer than four bytes.
std::uint64_t number(const nlattr* attribute);

/// Calls `visit` for each attribute of `message`, a message of the family. What does not fit into
/// the message ends the walk.
template <typename Visit> void for_each_attribute(const nlmsghdr* message, const Visit& visit) {
    auto* const header = const_cast<nlmsghdr*>(message);
    if (!nlmsg_valid_hdr(header, GENL_HDRLEN))
        return;
    nlattr* attribute = nullptr;
    int rest = 0;
    nlmsg_for_each_attr(attribute, header, GENL_HDRLEN, rest) visit(attribute);
}

/// The same for what is nested in `nest`.
template <typename Visit> void for_each_nested(const nlattr* nest, const Visit& visit) {
    nlattr* attribute = nullptr;
    int rest = 0;
    nla_for_each_nested(attribute, const_cast<nlattr*>(nest), rest) visit(attribute);
}

} // namespace shale::netlink
