// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace shale::exercise {

/// What docs/differences.md has of overlayfs, and is no finding there.
enum class Tolerance {
    /// "whiteouts in a directory that one lower alone has": they are listed.
    listed_whiteout,
    /// "a directory that holds nothing but whiteouts", of devices in the upper or of attributes in a lower: ENOTEMPTY.
    whiteouts_of_nothing,
    /// "a rename that is refused with ENOTEMPTY": the time of the directories changes.
    time_of_refused_rename,
    /// "number in the list of a hard link".
    number_of_link,
};

using Tolerated = std::map<Tolerance, uint64_t>;

std::string describe(Tolerance tolerance);

} // namespace shale::exercise
