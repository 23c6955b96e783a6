// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

namespace shale::powercut {

/// Writes what a device of dm-log-writes has logged to @p image, in the order of the log, which is the one in which
/// a disk with a cache had it for certain: what was written comes when a flush was done, or at once where it was
/// forced (FUA).
///
/// Stops at @p count marks and, if there are, at as many flushes, spread over the log: writes the marks so far to
/// @p journal, one a line, and runs @p command with "mark" or "flush" and the number of the entry. A mark is where
/// nothing comes to the help of a promise that was made too early. Returns whether all went well.
bool replay(const std::string& log, const std::string& image, unsigned count, const std::string& journal,
            const std::vector<std::string>& command);

} // namespace shale::powercut
