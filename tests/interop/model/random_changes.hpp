// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace shale {

/// Does @p count random things to the tree below @p directory, all decided by @p seed. What the
/// file system refuses is passed over, except errors that no tree explains (EIO, ESTALE and their
/// like), which are thrown.
void make_random_changes(unsigned seed, unsigned count, const std::string& directory);

} // namespace shale
