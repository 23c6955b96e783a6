// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace shale {

/// The @p words in one text, with @p separator between them.
std::string join(const std::vector<std::string>& words, const std::string& separator);

} // namespace shale
