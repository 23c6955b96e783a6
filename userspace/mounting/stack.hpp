// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "netlink/refused.hpp"

namespace shale::mounting {

/// A stack of layers to be mounted, by path.
struct Stack {
    std::vector<std::string> lowers;  ///< top-most first
    std::vector<std::string> data;    ///< below these: of data only, where no name is looked for
    std::optional<std::string> upper; ///< none: the mount is read-only
    std::optional<std::string> work;  ///< with upper only
    std::string source = "shale";     ///< field one of /proc/mounts
    bool read_only = false;
    std::vector<std::string> options; ///< KEY or KEY=VALUE, for the file system
    unsigned attributes = 0;          ///< MOUNT_ATTR_*, as fsmount(2) takes them
};

/// Mounts @p stack on the directory @p target: describes the layers to the module by descriptor,
/// and attaches what comes of it. Throws Error, which names the layer or option at fault; nothing
/// is left behind then.
void mount_stack(const Stack& stack, const std::string& target);

/// A refusal by the kernel in terms of @p stack: which path is at fault, why, and what to do.
Error explain(const netlink::Refused& refused, const Stack& stack);

} // namespace shale::mounting
