// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "exercise/node.hpp"

namespace shale::exercise {

/// Where a path leads.
struct Spot {
    int error = 0;         ///< what was wrong on the way, the last name aside
    NodePtr directory{};   ///< null at an error, and at the root
    std::string path{};    ///< without symbolic links on the way
    NodePtr node{};        ///< null: there is no such name in the directory

    std::string name() const;
};

enum class Last { as_it_is, follow };

/// Goes along @p path from @p root. @p last says what happens to a symbolic link at its end.
Spot look_up(const NodePtr& root, const std::string& path, Last last);

} // namespace shale::exercise
