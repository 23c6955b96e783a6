// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fd.hpp"

namespace shale {

/// One name in a directory, as it is listed.
struct ListedName {
    std::string name;
    ino_t number = 0;
    unsigned char type = 0; ///< DT_*
};

/// What @p dir, open for reading, lists from its beginning on, but "." and "..", in its order. Throws Error naming
/// @p shown.
std::vector<ListedName> listing_of(UniqueFd dir, const std::string& shown = "directory");

/// The names in the open directory @p dir, in no order, but "." and "..". Throws Error.
std::vector<std::string> names_in(int dir);

} // namespace shale
