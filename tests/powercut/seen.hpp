// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "block.hpp"

namespace shale::powercut {

/// A file or directory as it is after the cut.
struct Seen {
    enum class Piece { whole, zero, torn };

    bool is_directory = false;
    unsigned mode = 0, names = 0;
    unsigned long long size = 0;
    std::vector<Piece> pieces; ///< of a file, block by block
    std::vector<Label> labels; ///< of those that are whole

    /// The file that it is by its first label; nothing where there is none.
    std::optional<unsigned> file() const;
};

/// All that is below @p directory / @p place, but for what has the name @p without. Paths begin with the place.
std::map<std::string, Seen> look(const std::string& directory, const std::string& place, const std::string& without);

} // namespace shale::powercut
