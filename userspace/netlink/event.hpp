// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Events of mounts: what they are called, and how one is read from a message.
#pragma once

#include <linux/netlink.h>
#include <linux/shale.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shale::netlink {

/// What happened. A newer kernel may send numbers that have no name here.
enum class EventKind : std::uint32_t {
    mounted = SHALE_EVENT_KIND_MOUNTED,
    changed = SHALE_EVENT_KIND_CHANGED,
    unmounted = SHALE_EVENT_KIND_UNMOUNTED,
    copied_up = SHALE_EVENT_KIND_COPIED_UP,
    whited_out = SHALE_EVENT_KIND_WHITED_OUT,
    redirected = SHALE_EVENT_KIND_REDIRECTED,
    failed = SHALE_EVENT_KIND_FAILED,
    volatile_failed = SHALE_EVENT_KIND_VOLATILE_FAILED,
};

/// What an object was copied up for, or what failed.
enum class Reason : std::uint32_t {
    open = SHALE_REASON_OPEN,
    truncate = SHALE_REASON_TRUNCATE,
    attributes = SHALE_REASON_ATTRIBUTES,
    xattr = SHALE_REASON_XATTR,
    acl = SHALE_REASON_ACL,
    flags = SHALE_REASON_FLAGS,
    link = SHALE_REASON_LINK,
    rename = SHALE_REASON_RENAME,
    change_below = SHALE_REASON_CHANGE_BELOW,
    data = SHALE_REASON_DATA,
    handle = SHALE_REASON_HANDLE,
    look_up = SHALE_REASON_LOOK_UP,
    remove = SHALE_REASON_REMOVE,
    create = SHALE_REASON_CREATE,
    read = SHALE_REASON_READ,
    write = SHALE_REASON_WRITE,
};

/// All kinds that this library knows.
const std::vector<EventKind>& event_kinds();

/// Its name in the specification, such as "copied-up"; its number if a newer kernel sent it.
std::string name_of(EventKind kind);
std::string name_of(Reason reason);

/// The inverse; nothing for a name that no kind has.
std::optional<EventKind> event_kind_named(std::string_view name);

/// Its place in the mask of a mount's events.
constexpr std::uint32_t bit_of(EventKind kind) {
    return std::uint32_t{1} << (static_cast<unsigned>(kind) - 1);
}

/// The multicast group that it is sent to.
const char* group_of(EventKind kind);

/// Something that happened in a mount. What makes no sense for a kind is absent.
struct Event {
    std::uint64_t mount = 0; ///< id
    std::uint64_t seq = 0;   ///< number in its mount, from 1
    EventKind kind{};
    std::uint64_t time = 0;    ///< when it ended, in ns since 1970
    std::uint64_t dropped = 0; ///< events of the mount that were ever dropped before this one
    std::optional<std::uint32_t> pid;
    std::optional<std::uint32_t> tid;
    std::optional<std::string> comm;
    std::optional<std::uint64_t> cgroup;
    std::optional<std::uint32_t> uid;
    std::optional<std::string> path; ///< from the root of the mount
    std::optional<std::uint64_t> ino;
    std::optional<std::uint64_t> bytes;
    std::optional<std::uint64_t> duration; ///< in ns
    std::optional<Reason> reason;
    std::optional<std::string> redirect;
    std::optional<std::uint32_t> error; ///< errno
};

/// Decodes one SHALE_CMD_EVENT. Throws std::runtime_error for one without mount, number or kind.
Event decode_event(const nlmsghdr* message);

} // namespace shale::netlink
