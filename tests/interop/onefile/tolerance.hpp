// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace shale::onefile {

/// Answers to a request that must not wait, which may be served in part, or not at all. Whether
/// such requests are understood is the same for both, but for what stands in print_tolerated().
void check_nowait(long ours, long theirs);

/// Says how often what was tolerated.
void print_tolerated();

std::string flags_text(int flags);

} // namespace shale::onefile
