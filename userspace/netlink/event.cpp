// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/event.hpp"

#include <stdexcept>

#include "netlink/attributes.hpp"

namespace shale::netlink {

namespace {

struct KindName {
    EventKind kind;
    const char* name;
    const char* group;
};

constexpr KindName kind_names[] = {
    {EventKind::mounted, "mounted", SHALE_MCGRP_MOUNTS},
    {EventKind::changed, "changed", SHALE_MCGRP_MOUNTS},
    {EventKind::unmounted, "unmounted", SHALE_MCGRP_MOUNTS},
    {EventKind::copied_up, "copied-up", SHALE_MCGRP_COPY_UPS},
    {EventKind::whited_out, "whited-out", SHALE_MCGRP_NAMES},
    {EventKind::redirected, "redirected", SHALE_MCGRP_NAMES},
    {EventKind::failed, "failed", SHALE_MCGRP_ERRORS},
    {EventKind::volatile_failed, "volatile-failed", SHALE_MCGRP_ERRORS},
};

struct ReasonName {
    Reason reason;
    const char* name;
};

constexpr ReasonName reason_names[] = {
    {Reason::open, "open"},
    {Reason::truncate, "truncate"},
    {Reason::attributes, "attributes"},
    {Reason::xattr, "xattr"},
    {Reason::acl, "acl"},
    {Reason::flags, "flags"},
    {Reason::link, "link"},
    {Reason::rename, "rename"},
    {Reason::change_below, "change-below"},
    {Reason::data, "data"},
    {Reason::handle, "handle"},
    {Reason::look_up, "look-up"},
    {Reason::remove, "remove"},
    {Reason::create, "create"},
    {Reason::read, "read"},
    {Reason::write, "write"},
};

const KindName* find(EventKind kind) {
    for (const KindName& known : kind_names) {
        if (known.kind == kind)
            return &known;
    }
    return nullptr;
}

} // namespace

const std::vector<EventKind>& event_kinds() {
    static const auto kinds = [] {
        std::vector<EventKind> list;
        for (const KindName& known : kind_names)
            list.push_back(known.kind);
        return list;
    }();
    return kinds;
}

std::string name_of(EventKind kind) {
    const KindName* const known = find(kind);
    return known ? known->name : std::to_string(static_cast<unsigned>(kind));
}

std::string name_of(Reason reason) {
    for (const ReasonName& known : reason_names) {
        if (known.reason == reason)
            return known.name;
    }
    return std::to_string(static_cast<unsigned>(reason));
}

std::optional<EventKind> event_kind_named(std::string_view name) {
    for (const KindName& known : kind_names) {
        if (name == known.name)
            return known.kind;
    }
    return std::nullopt;
}

const char* group_of(EventKind kind) {
    const KindName* const known = find(kind);
    if (!known)
        throw std::invalid_argument("event kind " + name_of(kind));
    return known->group;
}

Event decode_event(const nlmsghdr* message) {
    Event event;
    bool mount = false;
    bool seq = false;
    bool kind = false;
    for_each_attribute(message, [&](const nlattr* attribute) {
        switch (nla_type(attribute)) {
        case SHALE_A_EVENT_MOUNT:
            event.mount = number(attribute);
            mount = true;
            break;
        case SHALE_A_EVENT_SEQ:
            event.seq = number(attribute);
            seq = true;
            break;
        case SHALE_A_EVENT_KIND:
            event.kind = static_cast<EventKind>(u32(attribute));
            kind = true;
            break;
        case SHALE_A_EVENT_TIME:
            event.time = number(attribute);
            break;
        case SHALE_A_EVENT_DROPPED:
            event.dropped = number(attribute);
            break;
        case SHALE_A_EVENT_PID:
            event.pid = u32(attribute);
            break;
        case SHALE_A_EVENT_TID:
            event.tid = u32(attribute);
            break;
        case SHALE_A_EVENT_COMM:
            event.comm = text(attribute);
            break;
        case SHALE_A_EVENT_CGROUP:
            event.cgroup = number(attribute);
            break;
        case SHALE_A_EVENT_UID:
            event.uid = u32(attribute);
            break;
        case SHALE_A_EVENT_PATH:
            event.path = text(attribute);
            break;
        case SHALE_A_EVENT_INO:
            event.ino = number(attribute);
            break;
        case SHALE_A_EVENT_BYTES:
            event.bytes = number(attribute);
            break;
        case SHALE_A_EVENT_DURATION:
            event.duration = number(attribute);
            break;
        case SHALE_A_EVENT_REASON:
            event.reason = static_cast<Reason>(u32(attribute));
            break;
        case SHALE_A_EVENT_REDIRECT:
            event.redirect = text(attribute);
            break;
        case SHALE_A_EVENT_ERRNO:
            event.error = u32(attribute);
            break;
        default: // a newer kernel may tell more
            break;
        }
    });
    if (!mount || !seq || !kind)
        throw std::runtime_error("the kernel sent an event without mount, number or kind");
    return event;
}

} // namespace shale::netlink
