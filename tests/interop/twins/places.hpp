// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/dice.hpp"

namespace shale::twins {

/// What an operation needs at a path to be done.
enum class Wish { anything, file, directory, absent };

/// The directory that @p path is in.
std::string parent_of(const std::string& path);

/// Picks paths. They are few, and what was used lately or exists comes more often than others:
/// operations are to meet each other's work.
class Places {
public:
    /// @p roots are the directories of both trees. They are alike, and both are asked what is
    /// where, so that neither has more in its caches than the other.
    Places(int one_root, int other_root) : roots_{one_root, other_root} {}

    /// What existed when somebody looked last; not empty, and everything may have changed since.
    void set_existing(std::vector<std::string> paths) { existing_ = std::move(paths); }

    /// A path where the wish is mostly true: what is refused has to be compared as well.
    std::string pick(Dice& dice, Wish wish);

private:
    std::string choose(Dice& dice) const;
    bool is_true(Wish wish, const std::string& path) const;
    /// The type of what is there, 0 if nothing is.
    unsigned type_of(const std::string& path) const;

    int roots_[2];
    std::vector<std::string> existing_{"."};
    std::deque<std::string> recent_;
};

} // namespace shale::twins
