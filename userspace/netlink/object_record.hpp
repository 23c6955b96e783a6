// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where an open object of a mount lies, and which mounts have a directory as a layer.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace shale::netlink {

/// One layer's object, out of those that an object of a mount stands on.
struct ObjectPart {
    std::optional<std::uint32_t> lower; ///< counted from 0, the top-most; nothing: the writable one
    bool data = false;                  ///< the data of the file are here

    bool operator==(const ObjectPart&) const = default;
};

/// What an open object of a mount stands on.
struct ObjectRecord {
    std::uint64_t mount = 0;         ///< id
    std::optional<std::string> path; ///< from the root of the mount, if it has a name
    std::uint64_t ino = 0;
    std::vector<ObjectPart> parts; ///< the top-most first
    bool metacopy = false;         ///< copied up, but not its data
    bool opaque = false;           ///< a directory that hides what is below it
    bool whiteout_needed = false;  ///< removing its name will leave a whiteout
};

/// Decodes the answer to SHALE_CMD_QUERY. Throws std::runtime_error for one that makes no sense:
/// without mount, or with a part of no layer.
ObjectRecord decode_object(const nlmsghdr* message);

/// A mount that has a directory as one of its layers.
struct LayerUse {
    std::uint64_t mount = 0; ///< id
    bool upper = false;
    bool work = false;
    std::optional<std::uint32_t> lower; ///< counted from 0, the top-most

    bool operator==(const LayerUse&) const = default;
};

/// Decodes one answer to SHALE_CMD_IN_USE. Throws std::runtime_error for one without mount or
/// without role.
LayerUse decode_layer_use(const nlmsghdr* message);

} // namespace shale::netlink
