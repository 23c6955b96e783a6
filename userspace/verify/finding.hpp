// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "verify/rules.hpp"

namespace shale::verify {

/// One thing that a mount shows otherwise than its layers say.
struct Finding {
    std::string path; ///< from the root of the union, with "/" at its begin
    Rule rule;
    std::string expected;
    std::string seen;
};

using Findings = std::vector<Finding>;

} // namespace shale::verify
