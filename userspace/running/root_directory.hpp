// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace shale::running {

/// Makes the mount at @p path the root of this process, whose mount namespace is its own and whose mounts nobody
/// else sees. Nothing of the former root can be reached then. Throws Error.
void change_root(const std::string& path);

/// Gives the new root what programs expect: /proc, a small /dev of its own, and /sys, read-only. Where the image has no
/// such directory, one is made.
void furnish_root();

} // namespace shale::running
