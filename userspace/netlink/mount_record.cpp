// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/mount_record.hpp"

#include <linux/shale.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include <stdexcept>

namespace shale::netlink {

namespace {

std::string text(const nlattr* attribute) {
    const auto* const begin = static_cast<const char*>(nla_data(attribute));
    return {begin, strnlen(begin, static_cast<std::size_t>(nla_len(attribute)))};
}

std::uint32_t u32(const nlattr* attribute) {
    if (nla_len(attribute) < 4)
        throw std::runtime_error("the kernel sent a number of fewer than four bytes");
    return nla_get_u32(attribute);
}

/// A u64, or what later kernels send for it when it is small.
std::uint64_t number(const nlattr* attribute) {
    return nla_len(attribute) >= 8 ? nla_get_u64(const_cast<nlattr*>(attribute)) : u32(attribute);
}

} // namespace

void MountAssembler::add(const nlmsghdr* message) {
    auto* const header = const_cast<nlmsghdr*>(message);
    nlattr* attribute = nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_ID);
    if (!attribute)
        throw std::runtime_error("the kernel described a mount without its id");

    const auto id = number(attribute);
    auto& [record, announced] = mounts_[id];
    record.id = id;
    record.type = type_;

    if (const auto* first = nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_FIRST);
        first && u32(first) != record.lowers.size())
        throw std::runtime_error("the kernel left out layers of mount " + std::to_string(id));

    int rest = 0;
    nlmsg_for_each_attr(attribute, header, GENL_HDRLEN, rest) {
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
        default: // a newer kernel may tell more
            break;
        }
    }
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
