// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace shale::mounting {

/// Unmounts what is mounted on @p target. With @p lazy it disappears from the tree at once, and
/// ends when nobody uses it any more. Throws Error; one that is in use stays as it is.
void unmount(const std::string& target, bool lazy);

} // namespace shale::mounting
