// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "operation.hpp"

namespace shale::twins {

/// An endless sequence of operations, decided by the seed and by what exists in the trees.
class Generator {
public:
    /// @p identities says whether inode numbers tell objects apart.
    Generator(unsigned seed, bool identities, const Side& tree, const Side& twin);

    Operation next();
    void set_existing(std::vector<std::string> paths) {
        choices_.places.set_existing(std::move(paths));
    }

private:
    void add_kinds(std::span<const Weighted> kinds);
    MakeOperation pick_kind();
    Caller pick_caller();

    Choices choices_;
    std::vector<Weighted> kinds_;
    unsigned weight_ = 0; ///< of all kinds together
};

} // namespace shale::twins
