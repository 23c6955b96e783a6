// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "promises.hpp"

namespace shale::powercut {

struct Load {
    unsigned seed = 1;
    unsigned operations = 0; ///< of each hand; 0: until the end
    bool linked = false;     ///< there is an index, so that files of several names keep them
    bool lies = false;       ///< promises without having synced
};

/// All hands work in @p directory at once, each as its script says. Throws where an operation fails.
void run_load(const Load& load, const std::string& directory, Promises& promises);

} // namespace shale::powercut
