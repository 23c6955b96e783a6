// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>

#include "mounting/stack.hpp"
#include "selftest/check.hpp"

namespace shale::selftest {

/// The layers of a mount below one directory, and where it is mounted.
struct Place {
    std::string dir;

    std::string low() const { return dir + "/low"; }
    std::string top() const { return dir + "/top"; }
    std::string upper() const { return dir + "/upper"; }
    std::string work() const { return dir + "/work"; }
    std::string merged() const { return dir + "/merged"; }

    /// What mounting::mount_stack() takes.
    mounting::Stack stack() const;
};

/// Makes the layers in the empty directory that @p place is.
void make_layers(const Place& place);

/// Uses the mount of freshly made layers as programs do. @p mount_again unmounts it and mounts it again.
void check_union(const Place& place, const std::function<void()>& mount_again, const Report& report);

} // namespace shale::selftest
