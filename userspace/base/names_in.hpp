// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace shale {

/// The names in the open directory @p dir, in no order, but "." and "..". Throws Error.
std::vector<std::string> names_in(int dir);

} // namespace shale
