// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The option string of mount(8) and fstab(5), taken apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mounting/stack.hpp"

namespace shale::mounting {

/// What an option string says to each of those who read it.
struct Options {
    unsigned long flags = 0;              ///< MS_*, for mount(2)
    std::vector<std::string> file_system; ///< the rest, as given and in order

    /// What mount(2) takes as its data: the options of the file system, joined.
    std::string data() const;
};

/// Takes @p text apart at commas, but for those that a backslash protects. Words for mount(8)
/// itself, such as "noauto" and "x-systemd.automount", are left out.
Options parse_options(std::string_view text);

/// A path as it stands in the value of "lowerdir", "upperdir" or "workdir" among other options.
std::string escaped(const std::string& path);
/// Several, in one "lowerdir", the top-most first.
std::string escaped(const std::vector<std::string>& paths);

/// One name in the value of "lowerdir", without its backslashes.
struct LowerName {
    std::string path; ///< empty, where there is nothing between two colons
    bool of_data;     ///< behind two colons
};

/// The value of "lowerdir" taken apart: one colon stands between two names, two before one of data only.
std::vector<LowerName> split_lowerdir(std::string_view value);

/// The mount that @p options ask for, as the netlink family describes it: layers by themselves,
/// without backslashes. Throws Error for what can't be said so.
Stack stack_of(const Options& options, const std::string& source);

} // namespace shale::mounting
