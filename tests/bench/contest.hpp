// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "case.hpp"
#include "side.hpp"

namespace shale::bench {

/// What was measured of one case on one side.
struct Result {
    std::string side;
    std::vector<double> samples; ///< nanoseconds, which are instructions on a counted machine, of one
                                 ///< part of an operation, round by round
};

/// Lets the sides do the same in turns.
class Contest {
public:
    struct Rules {
        unsigned rounds;
        double sample; ///< nanoseconds that one should take, at least
        bool counted;  ///< whether the clock counts instructions
    };
    /// All of it happens below @p place.
    Contest(Rules rules, std::string place, std::vector<std::unique_ptr<Side>> sides);

    bool includes(const Case& one) const {
        return one.by != (rules_.counted ? Case::By::time : Case::By::instructions);
    }
    /// @p layers are below the upper. Those who can't stack so many take no part.
    std::vector<Result> run(const Case& one, unsigned layers);

private:
    double take_sample(const Case& one, Side& side, unsigned count) const;
    unsigned suitable_count(const Case& one, Side& side) const;
    void fill(const Case& one, unsigned layers);

    Rules rules_;
    std::string place_;
    std::vector<std::string> lowers_; ///< the top-most first
    const Case* filled_by_ = nullptr; ///< what they hold; nobody changes it
    std::vector<std::unique_ptr<Side>> sides_;
};

} // namespace shale::bench
