// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace shale {

/// Removes @p name in @p dir with all that is in it, never following a symbolic link. A name that
/// does not exist is fine. Throws Error naming what could not be removed. What is mounted somewhere in
/// it is left alone, with an Error; the rest may be gone then.
///
/// Holds one descriptor per level: callers keep the trees they make shallower than the descriptor
/// limit (see oci::LayerName::max_depth).
void remove_tree(int dir, const std::string& name);

} // namespace shale
