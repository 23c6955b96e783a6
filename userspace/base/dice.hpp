// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <iterator>
#include <random>

namespace shale {

/// Random choices, all decided by the seed.
class Dice {
public:
    explicit Dice(unsigned seed) : random_(seed) {}

    unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
    bool chance(unsigned percent) { return pick(100) < percent; }

    template <class Range> const auto& one_of(const Range& range) {
        return *std::next(std::begin(range), pick(static_cast<unsigned>(std::size(range))));
    }

private:
    std::mt19937 random_;
};

} // namespace shale
