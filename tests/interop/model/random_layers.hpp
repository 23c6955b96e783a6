// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace shale {

/// Fills @p count new directories @p directory/1 (top-most) to @p directory/COUNT with objects and
/// marks as a stack of layers may hold them, all decided by @p seed.
void make_random_layers(unsigned seed, unsigned count, const std::string& directory);

} // namespace shale
