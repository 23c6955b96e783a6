// SPDX-License-Identifier: GPL-2.0-or-later
//
// Messages as the kernel would send them.
#pragma once

#include <linux/shale.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include <cstring>
#include <string>
#include <vector>

#include "netlink/message.hpp"

namespace shale::netlink {

constexpr std::uint32_t our_sequence = 42;

/// One part of the description of a mount.
inline Message mount_part(std::uint64_t id, std::uint32_t first,
                          const std::vector<std::string>& lowers,
                          std::uint32_t sequence = our_sequence) {
    Message message{nlmsg_alloc()};
    genlmsg_put(message.get(), 0, sequence, 33, 0, NLM_F_MULTI, SHALE_CMD_GET, 1);
    nla_put_u64(message.get(), SHALE_A_MOUNT_ID, id);
    nla_put_u32(message.get(), SHALE_A_MOUNT_FIRST, first);
    for (const std::string& lower : lowers)
        nla_put_string(message.get(), SHALE_A_MOUNT_LOWER, lower.c_str());
    return message;
}

/// The first part, which carries what is told once.
inline Message mount_head(std::uint64_t id, std::uint32_t count,
                          const std::vector<std::string>& lowers) {
    auto message = mount_part(id, 0, lowers);
    nla_put_u32(message.get(), SHALE_A_MOUNT_MAJOR, 0);
    nla_put_u32(message.get(), SHALE_A_MOUNT_MINOR, 57);
    nla_put_string(message.get(), SHALE_A_MOUNT_SOURCE, "web");
    nla_put_string(message.get(), SHALE_A_MOUNT_UPPER, "/s/upper");
    nla_put_string(message.get(), SHALE_A_MOUNT_WORK, "/s/work");
    nla_put_u32(message.get(), SHALE_A_MOUNT_LOWERS, count);
    nla_put_u64(message.get(), SHALE_A_MOUNT_COPY_UPS, 3);
    nla_put_u64(message.get(), SHALE_A_MOUNT_COPY_UP_BYTES, 1ULL << 33);
    return message;
}

/// An empty message of the family, to be filled by the test.
inline Message message_of(std::uint8_t command, std::uint16_t family = 33) {
    Message message{nlmsg_alloc()};
    genlmsg_put(message.get(), 0, our_sequence, family, 0, 0, command, 1);
    return message;
}

/// A nest of the type, filled by `fill`.
template <typename Fill> void put_nest(const Message& message, int type, const Fill& fill) {
    nlattr* const nest = nla_nest_start(message.get(), type);
    fill(message.get());
    nla_nest_end(message.get(), nest);
}

/// The message with its last attribute saying that it is longer than the message.
inline void lie_about_length(const Message& message) {
    nlattr* attribute = nullptr;
    nlattr* last = nullptr;
    int rest = 0;
    nlmsg_for_each_attr(attribute, nlmsg_hdr(message.get()), GENL_HDRLEN, rest) last = attribute;
    last->nla_len = 4096;
}

/// NLMSG_ERROR as the kernel sends it to a socket with extended and capped acks.
inline Message refusal(int code, const char* words, std::uint32_t offset) {
    Message message{nlmsg_alloc()};
    const int flags = NLM_F_CAPPED | (words ? NLM_F_ACK_TLVS : 0);
    nlmsg_put(message.get(), 0, our_sequence, NLMSG_ERROR, sizeof(nlmsgerr), flags);
    static_cast<nlmsgerr*>(nlmsg_data(nlmsg_hdr(message.get())))->error = -code;
    if (words) {
        nla_put_string(message.get(), NLMSGERR_ATTR_MSG, words);
        nla_put_u32(message.get(), NLMSGERR_ATTR_OFFS, offset);
    }
    return message;
}

/// NLMSG_DONE, with an error or 0.
inline Message done(int code = 0) {
    Message message{nlmsg_alloc()};
    nlmsg_put(message.get(), 0, our_sequence, NLMSG_DONE, sizeof(int), NLM_F_MULTI);
    const int negative = -code;
    std::memcpy(nlmsg_data(nlmsg_hdr(message.get())), &negative, sizeof(negative));
    return message;
}

/// Several messages as one datagram.
inline std::string datagram(const std::vector<const Message*>& messages) {
    std::string bytes;
    for (const Message* message : messages) {
        const auto* header = nlmsg_hdr(message->get());
        bytes.append(reinterpret_cast<const char*>(header), header->nlmsg_len);
        bytes.resize(NLMSG_ALIGN(bytes.size()));
    }
    return bytes;
}

} // namespace shale::netlink
