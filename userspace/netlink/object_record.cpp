// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/object_record.hpp"

#include <linux/shale.h>

#include <stdexcept>

#include "netlink/attributes.hpp"

namespace shale::netlink {

namespace {

ObjectPart decode_part(const nlattr* nest) {
    ObjectPart part;
    bool upper = false;
    for_each_nested(nest, [&](const nlattr* attribute) {
        switch (nla_type(attribute)) {
        case SHALE_A_PART_UPPER:
            upper = true;
            break;
        case SHALE_A_PART_LOWER:
            part.lower = u32(attribute);
            break;
        case SHALE_A_PART_DATA:
            part.data = true;
            break;
        default: // a newer kernel may tell more
            break;
        }
    });
    if (upper == part.lower.has_value())
        throw std::runtime_error("the kernel told of an object without saying in which layer it lies");
    return part;
}

} // namespace

ObjectRecord decode_object(const nlmsghdr* message) {
    ObjectRecord object;
    bool named = false;
    for_each_attribute(message, [&](const nlattr* attribute) {
        switch (nla_type(attribute)) {
        case SHALE_A_OBJECT_MOUNT:
            object.mount = number(attribute);
            named = true;
            break;
        case SHALE_A_OBJECT_PATH:
            object.path = text(attribute);
            break;
        case SHALE_A_OBJECT_INO:
            object.ino = number(attribute);
            break;
        case SHALE_A_OBJECT_PART:
            object.parts.push_back(decode_part(attribute));
            break;
        case SHALE_A_OBJECT_METACOPY:
            object.metacopy = true;
            break;
        case SHALE_A_OBJECT_OPAQUE:
            object.opaque = true;
            break;
        case SHALE_A_OBJECT_WHITEOUT_NEEDED:
            object.whiteout_needed = true;
            break;
        default:
            break;
        }
    });
    if (!named)
        throw std::runtime_error("the kernel told of an object without the id of its mount");
    return object;
}

LayerUse decode_layer_use(const nlmsghdr* message) {
    LayerUse use;
    bool named = false;
    for_each_attribute(message, [&](const nlattr* attribute) {
        switch (nla_type(attribute)) {
        case SHALE_A_LAYER_USE_MOUNT:
            use.mount = number(attribute);
            named = true;
            break;
        case SHALE_A_LAYER_USE_UPPER:
            use.upper = true;
            break;
        case SHALE_A_LAYER_USE_WORK:
            use.work = true;
            break;
        case SHALE_A_LAYER_USE_LOWER:
            use.lower = u32(attribute);
            break;
        default:
            break;
        }
    });
    if (!named || !(use.upper || use.work || use.lower))
        throw std::runtime_error("the kernel told of a layer's use without mount or role");
    return use;
}

} // namespace shale::netlink
