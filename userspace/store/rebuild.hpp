// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace shale {

/// What became of a database that was made anew.
struct Rebuilt {
    size_t images = 0;    ///< that the database has now
    size_t layers = 0;
    size_t snapshots = 0;
    size_t found = 0;     ///< images and snapshots of these that it had not, or other ones of their names
    std::string set_aside;             ///< where a damaged database was moved to; empty: there was none
    std::vector<std::string> problems; ///< what could not be taken up, and why
};

} // namespace shale
