// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/mount_record.hpp"

#include <linux/shale.h>

#include <stdexcept>

#include "netlink/attributes.hpp"

namespace shale::netlink {

namespace {

UpperLimits& limits_of(MountRecord& record) {
    if (!record.upper_limits)
        record.upper_limits.emplace();
    return *record.upper_limits;
}

} // namespace

void MountAssembler::add(const nlmsghdr* message) {
    auto* const header = const_cast<nlmsghdr*>(message);
    const nlattr* const named = nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_ID);
    if (!named)
        throw std::runtime_error("the kernel described a mount without its id");

    const auto id = number(named);
    auto& [record, announced] = mounts_[id];
    record.id = id;
    record.type = type_;

    if (const auto* first = nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_FIRST);
        first && u32(first) != record.lowers.size())
        throw std::runtime_error("the kernel left out layers of mount " + std::to_string(id));

    for_each_attribute(message, [&record = record, &announced = announced](const nlattr* attribute) {
        switch (nla_type(attribute)) {
        case SHALE_A_MOUNT_MAJOR:
            record.major = u32(attribute);
            break;
        case SHALE_A_MOUNT_MINOR:
            record.minor = u32(attribute);
            break;
        case SHALE_A_MOUNT_SOURCE:
            record.source = text(attribute);
            break;
        case SHALE_A_MOUNT_UPPER:
            record.upper = text(attribute);
            break;
        case SHALE_A_MOUNT_WORK:
            record.work = text(attribute);
            break;
        case SHALE_A_MOUNT_LOWERS:
            announced = u32(attribute);
            break;
        case SHALE_A_MOUNT_LOWER:
            record.lowers.push_back(text(attribute));
            break;
        case SHALE_A_MOUNT_DATA_LOWERS:
            record.data_lowers = u32(attribute);
            break;
        case SHALE_A_MOUNT_COPY_UPS:
            record.copy_ups = number(attribute);
            break;
        case SHALE_A_MOUNT_COPY_UP_BYTES:
            record.copy_up_bytes = number(attribute);
            break;
        case SHALE_A_MOUNT_REDIRECTS:
            record.redirects = true;
            break;
        case SHALE_A_MOUNT_METACOPIES:
            record.metacopies = true;
            break;
        case SHALE_A_MOUNT_EVENTS:
            record.events = u32(attribute);
            break;
        case SHALE_A_MOUNT_EVENT_RATE:
            record.event_rate = u32(attribute);
            break;
        case SHALE_A_MOUNT_MAX_COPY_UP:
            record.max_copy_up = number(attribute);
            break;
        case SHALE_A_MOUNT_SIZE:
            limits_of(record).size = number(attribute);
            break;
        case SHALE_A_MOUNT_INODES:
            limits_of(record).inodes = number(attribute);
            break;
        case SHALE_A_MOUNT_SIZE_USED:
            limits_of(record).size_used = number(attribute);
            break;
        case SHALE_A_MOUNT_INODES_USED:
            limits_of(record).inodes_used = number(attribute);
            break;
        case SHALE_A_MOUNT_PROJECT:
            limits_of(record).project = u32(attribute);
            break;
        default: // a newer kernel may tell more
            break;
        }
    });
}

std::vector<MountRecord> MountAssembler::finish() && {
    std::vector<MountRecord> complete;
    for (auto& [id, pending] : mounts_) {
        if (pending.record.lowers.size() == pending.announced)
            complete.push_back(std::move(pending.record));
    }
    mounts_.clear();
    return complete;
}

} // namespace shale::netlink
