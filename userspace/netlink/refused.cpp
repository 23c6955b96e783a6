// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/refused.hpp"

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cstring>

namespace shale::netlink {

namespace {

/// Where the extended ack begins: after the error code, and after the request if that is echoed.
std::size_t fixed_part(const nlmsghdr* message) {
    if (message->nlmsg_type == NLMSG_DONE)
        return NLMSG_ALIGN(sizeof(int));
    const auto* const error = static_cast<const nlmsgerr*>(nlmsg_data(message));
    std::size_t size = sizeof(*error);
    if (!(message->nlmsg_flags & NLM_F_CAPPED))
        size += error->msg.nlmsg_len - sizeof(error->msg);
    return NLMSG_ALIGN(size);
}

} // namespace

Refused::Refused(int error, std::string message, std::optional<std::uint32_t> offset)
    : std::runtime_error(message.empty() ? std::strerror(error) : message), error_(error),
      message_(std::move(message)), offset_(offset) {}

std::optional<Refused> decode_refusal(const nlmsghdr* message) {
    const auto size = static_cast<std::size_t>(nlmsg_datalen(message));
    if (message->nlmsg_type == NLMSG_DONE && size < sizeof(int))
        return std::nullopt;
    if (message->nlmsg_type == NLMSG_ERROR && size < sizeof(nlmsgerr))
        throw std::runtime_error("the kernel sent an error message that is cut off");

    int code = 0;
    std::memcpy(&code, nlmsg_data(message), sizeof(code));
    if (code >= 0)
        return std::nullopt;

    std::string words;
    std::optional<std::uint32_t> offset;
    const auto skip = fixed_part(message);
    if ((message->nlmsg_flags & NLM_F_ACK_TLVS) && skip <= size) {
        auto* attribute = reinterpret_cast<nlattr*>(static_cast<char*>(nlmsg_data(message)) + skip);
        auto rest = static_cast<int>(size - skip);
        for (; nla_ok(attribute, rest); attribute = nla_next(attribute, &rest)) {
            const auto length = static_cast<std::size_t>(nla_len(attribute));
            const auto* const data = static_cast<const char*>(nla_data(attribute));
            if (nla_type(attribute) == NLMSGERR_ATTR_MSG)
                words.assign(data, strnlen(data, length));
            else if (nla_type(attribute) == NLMSGERR_ATTR_OFFS && length >= sizeof(std::uint32_t))
                offset = nla_get_u32(attribute);
        }
    }
    return Refused(-code, std::move(words), offset);
}

} // namespace shale::netlink
