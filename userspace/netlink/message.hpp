// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Requests to the family: how they are built, and how an offset that the kernel complains about is
// led back to the attribute that stands there. Works on bytes alone; no socket.
#pragma once

#include <netlink/msg.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace shale::netlink {

struct FreeMessage {
    void operator()(nl_msg* message) const noexcept { nlmsg_free(message); }
};

/// A netlink message under construction, or ready to send.
using Message = std::unique_ptr<nl_msg, FreeMessage>;

/// The layers of a stack as descriptors, which stay the caller's.
struct StackDescription {
    std::vector<int> lowers; ///< top-most first
    std::vector<int> data;   ///< below these: of data only, where no name is looked for
    std::optional<int> upper;
    std::optional<int> work;
};

/// One top-level attribute of a request: its type, and how many of that type stand before it.
struct AttributePosition {
    std::uint16_t type;
    std::size_t index;

    bool operator==(const AttributePosition&) const = default;
};

/// SHALE_CMD_NEW with one attribute per layer. `family` is the number the family has in this boot.
/// Throws std::bad_alloc.
Message encode_new(std::uint16_t family, const StackDescription& stack);

/// SHALE_CMD_GET for all mounts.
Message encode_get_all(std::uint16_t family);

/// SHALE_CMD_GET for the mount with this id.
Message encode_get_by_id(std::uint16_t family, std::uint64_t id);

/// SHALE_CMD_GET for the mount that the open file `fd` is part of.
Message encode_get_by_fd(std::uint16_t family, int fd);

/// What is to change of a mount; what is absent stays.
struct Changes {
    std::optional<std::uint32_t> events;      ///< bits of the kinds to send, see bit_of(EventKind)
    std::optional<std::uint32_t> event_rate;  ///< most in a second; 0: no limit
    std::optional<std::uint64_t> max_copy_up; ///< most bytes of one file; 0: no limit
    std::optional<std::uint64_t> size;        ///< most bytes of the upper; 0: no limit
    std::optional<std::uint64_t> inodes;      ///< most objects in it; 0: no limit
};

/// SHALE_CMD_SET for the mount with this id.
Message encode_set(std::uint16_t family, std::uint64_t id, const Changes& changes);

/// SHALE_CMD_QUERY for the open object `fd`.
Message encode_query(std::uint16_t family, int fd);

/// SHALE_CMD_IN_USE for the open directory `fd`.
Message encode_in_use(std::uint16_t family, int fd);

/// SHALE_CMD_COUNTERS for all mounts.
Message encode_counters_of_all(std::uint16_t family);

/// SHALE_CMD_COUNTERS for the mount with this id.
Message encode_counters_by_id(std::uint16_t family, std::uint64_t id);

/// SHALE_CMD_QUIESCE for the mount with this id.
Message encode_quiesce(std::uint16_t family, std::uint64_t id, std::optional<std::uint32_t> timeout);

/// The top-level attribute of `message` that covers the byte `offset`, counted from the start of
/// its header; nothing if there is none.
std::optional<AttributePosition> attribute_at(nl_msg* message, std::uint32_t offset);

} // namespace shale::netlink
