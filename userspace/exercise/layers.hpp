// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "exercise/site.hpp"

namespace shale::exercise {

/// What the drivers and the file system can do.
struct Abilities {
    /// Of overlayfs since Linux 6.8, and of Shale.
    bool has_escaped_marks = true;
    bool has_file_whiteouts = true;
    bool has_index = true; ///< file handles
};

/// The beginning of a case, all decided by @p seed: lower layers that hold all that layers may hold (merged and opaque
/// directories, whiteouts, redirects, copies without data, hard links, attributes, links, fifos, devices), and the
/// options of the mount. @p options stand for those of the same name.
Case make_case(unsigned seed, const Abilities& abilities, const std::vector<std::string>& options);

/// Whether @p options has @p option, as "index=on".
bool has(const std::vector<std::string>& options, const std::string& option);

} // namespace shale::exercise
