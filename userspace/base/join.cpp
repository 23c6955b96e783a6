// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/join.hpp"

namespace shale {

std::string join(const std::vector<std::string>& words, const std::string& separator) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : separator) + word;
    return text;
}

} // namespace shale
