// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace shale {

/// Marks that not every driver follows.
struct Features {
    bool redirects = true;
    bool xattr_whiteouts = true;
    bool whiteouts = true; ///< of either kind
};

/// Fills @p count new directories @p directory/1 (top-most) to @p directory/COUNT with objects and
/// marks as a stack of layers may hold them, all decided by @p seed and @p features.
void make_random_layers(unsigned seed, unsigned count, const std::string& directory,
                        Features features);

} // namespace shale
