// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace shale {

/// @p text in single quotes, as a shell takes it for one word, whatever is in it.
std::string shell_word(const std::string& text);

} // namespace shale
