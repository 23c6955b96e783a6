// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/message.hpp"

#include <linux/shale.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include <map>
#include <new>

namespace shale::netlink {

namespace {

constexpr std::size_t small = 128;

Message start(std::uint16_t family, std::uint8_t command, int flags, std::size_t payload) {
    Message message{nlmsg_alloc_size(NLMSG_HDRLEN + GENL_HDRLEN + payload)};
    if (!message ||
        !genlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags, command, 0))
        throw std::bad_alloc();
    return message;
}

/// nla_put_* fail for want of room only, and the room was computed from what is put.
void must_fit(int result) {
    if (result < 0)
        throw std::bad_alloc();
}

} // namespace

Message encode_new(std::uint16_t family, const StackDescription& stack) {
    const auto attributes = stack.lowers.size() + stack.data.size() + 2;
    auto message =
        start(family, SHALE_CMD_NEW, NLM_F_ACK, attributes * nla_total_size(sizeof(std::int32_t)));
    for (const int lower : stack.lowers)
        must_fit(nla_put_s32(message.get(), SHALE_A_STACK_LOWER, lower));
    for (const int data : stack.data)
        must_fit(nla_put_s32(message.get(), SHALE_A_STACK_DATA, data));
    if (stack.upper)
        must_fit(nla_put_s32(message.get(), SHALE_A_STACK_UPPER, *stack.upper));
    if (stack.work)
        must_fit(nla_put_s32(message.get(), SHALE_A_STACK_WORK, *stack.work));
    return message;
}

Message encode_get_all(std::uint16_t family) {
    return start(family, SHALE_CMD_GET, NLM_F_DUMP, small);
}

Message encode_get_by_id(std::uint16_t family, std::uint64_t id) {
    auto message = start(family, SHALE_CMD_GET, 0, small);
    must_fit(nla_put_u64(message.get(), SHALE_A_MOUNT_ID, id));
    return message;
}

Message encode_get_by_fd(std::uint16_t family, int fd) {
    auto message = start(family, SHALE_CMD_GET, 0, small);
    must_fit(nla_put_s32(message.get(), SHALE_A_MOUNT_FD, fd));
    return message;
}

Message encode_set(std::uint16_t family, std::uint64_t id, const Changes& changes) {
    auto message = start(family, SHALE_CMD_SET, NLM_F_ACK, small);
    must_fit(nla_put_u64(message.get(), SHALE_A_MOUNT_ID, id));
    if (changes.events)
        must_fit(nla_put_u32(message.get(), SHALE_A_MOUNT_EVENTS, *changes.events));
    if (changes.event_rate)
        must_fit(nla_put_u32(message.get(), SHALE_A_MOUNT_EVENT_RATE, *changes.event_rate));
    if (changes.max_copy_up)
        must_fit(nla_put_u64(message.get(), SHALE_A_MOUNT_MAX_COPY_UP, *changes.max_copy_up));
    if (changes.size)
        must_fit(nla_put_u64(message.get(), SHALE_A_MOUNT_SIZE, *changes.size));
    if (changes.inodes)
        must_fit(nla_put_u64(message.get(), SHALE_A_MOUNT_INODES, *changes.inodes));
    return message;
}

Message encode_query(std::uint16_t family, int fd) {
    auto message = start(family, SHALE_CMD_QUERY, NLM_F_ACK, small);
    must_fit(nla_put_s32(message.get(), SHALE_A_OBJECT_FD, fd));
    return message;
}

Message encode_in_use(std::uint16_t family, int fd) {
    auto message = start(family, SHALE_CMD_IN_USE, 0, small);
    must_fit(nla_put_s32(message.get(), SHALE_A_LAYER_USE_FD, fd));
    return message;
}

Message encode_counters_of_all(std::uint16_t family) {
    return start(family, SHALE_CMD_COUNTERS, NLM_F_DUMP, small);
}

Message encode_counters_by_id(std::uint16_t family, std::uint64_t id) {
    auto message = start(family, SHALE_CMD_COUNTERS, 0, small);
    must_fit(nla_put_u64(message.get(), SHALE_A_COUNTERS_ID, id));
    return message;
}

Message encode_quiesce(std::uint16_t family, std::uint64_t id, std::optional<std::uint32_t> timeout) {
    auto message = start(family, SHALE_CMD_QUIESCE, NLM_F_ACK, small);
    must_fit(nla_put_u64(message.get(), SHALE_A_QUIESCE_ID, id));
    if (timeout)
        must_fit(nla_put_u32(message.get(), SHALE_A_QUIESCE_TIMEOUT, *timeout));
    return message;
}

std::optional<AttributePosition> attribute_at(nl_msg* message, std::uint32_t offset) {
    auto* const header = nlmsg_hdr(message);
    const auto* const base = reinterpret_cast<const char*>(header);
    std::map<int, std::size_t> seen;
    nlattr* attribute = nullptr;
    int rest = 0;
    nlmsg_for_each_attr(attribute, header, GENL_HDRLEN, rest) {
        const auto begin =
            static_cast<std::size_t>(reinterpret_cast<const char*>(attribute) - base);
        const auto index = seen[nla_type(attribute)]++;
        if (offset >= begin && offset < begin + attribute->nla_len)
            return AttributePosition{static_cast<std::uint16_t>(nla_type(attribute)), index};
    }
    return std::nullopt;
}

} // namespace shale::netlink
