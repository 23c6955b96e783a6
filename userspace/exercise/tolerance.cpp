// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/tolerance.hpp"

namespace shale::exercise {

std::string describe(Tolerance tolerance) {
    switch (tolerance) {
    case Tolerance::listed_whiteout: return "whiteouts that are listed";
    case Tolerance::whiteouts_of_nothing: return "directories that are empty, but for whiteouts, and not removed";
    case Tolerance::time_of_refused_rename: return "directories with another time after a refused rename";
    case Tolerance::number_of_link: return "hard links listed with another number";
    }
    return "";
}

} // namespace shale::exercise
