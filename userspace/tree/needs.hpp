// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace shale::tree {

/// What in-tree overlayfs has to be told to read an upper.
struct Needs {
    bool redirects = false;  ///< redirect_dir=on: a directory was renamed
    bool metacopies = false; ///< metacopy=on: a copy of a file is without its data

    bool all() const { return redirects && metacopies; }
    /// The options, such as "redirect_dir=on"; empty when it needs none.
    std::vector<std::string> options() const;
};

/// Looks through the upper in @p path for such marks (trusted.*), until both kinds are found.
/// What disappears meanwhile is left out; mounts below @p path are not entered. Throws Error.
Needs needs_of_upper(const std::string& path);

} // namespace shale::tree
