// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/names_in.hpp"

#include <filesystem>

namespace shale {

std::vector<std::string> names_in(int dir) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd/" + std::to_string(dir)))
        names.push_back(entry.path().filename());
    return names;
}

} // namespace shale
