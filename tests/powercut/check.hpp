// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace shale::powercut {

/// A mount after a cut, and what it is made of.
struct Stack {
    std::string base;   ///< directory with layers/top, layers/low and work
    std::string merged; ///< where it is mounted
    bool linked = false; ///< it has an index
};

/// Is what it shows one of the states that history.hpp allows, for every hand? Are the layers as they were, and
/// is the work directory empty? Prints what is not, and how much was looked at. @p journal has the promises.
bool check(unsigned seed, const Stack& stack, const std::string& journal);

} // namespace shale::powercut
