// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>

namespace shale::selftest {

enum class Verdict {
    works,
    lacks, ///< of the file system, which may be as it is; the detail says what that costs
    fails, ///< the detail says what was seen
};

struct Result {
    std::string name;
    Verdict verdict;
    std::string detail{}; ///< empty where it works
};

/// Told of each check when it is done.
using Report = std::function<void(const Result&)>;

} // namespace shale::selftest
