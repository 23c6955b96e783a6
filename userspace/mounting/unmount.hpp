// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "mounting/mountinfo.hpp"

namespace shale::mounting {

/// Unmounts @p mount, and never something else that lies on top of it. With @p lazy it disappears
/// from the tree at once, and ends when nobody uses it any more. Throws Error; one that is in use
/// stays as it is.
void unmount(const MountPoint& mount, bool lazy);

} // namespace shale::mounting
