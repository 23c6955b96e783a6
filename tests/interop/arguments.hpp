// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the command lines of the programs here are read with.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

namespace shale {

using Arguments = std::vector<std::string>;

inline unsigned number(const std::string& text) {
    return static_cast<unsigned>(std::strtoul(text.c_str(), nullptr, 10));
}

/// Takes the first one away; "" where there is none.
inline std::string take(Arguments& arguments) {
    if (arguments.empty())
        return "";
    std::string first = arguments.front();
    arguments.erase(arguments.begin());
    return first;
}

} // namespace shale
