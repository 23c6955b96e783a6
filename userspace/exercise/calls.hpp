// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "exercise/operation.hpp"

namespace shale::exercise {

/// Makes the system calls of @p operation in the directory @p root, with the process's umask. Returns 0 or the errno
/// value. A remount is not for here. Throws Error where the answer tells nothing about the file system: no space, no
/// memory.
int call(int root, const Operation& operation);

} // namespace shale::exercise
