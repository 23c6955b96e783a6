// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/shell_word.hpp"

namespace shale {

std::string shell_word(const std::string& text) {
    std::string word = "'";
    for (const char c : text)
        word += c == '\'' ? "'\\''" : std::string(1, c);
    return word + "'";
}

} // namespace shale
