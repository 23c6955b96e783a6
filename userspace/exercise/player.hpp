// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>

#include "exercise/comparison.hpp"
#include "exercise/model.hpp"
#include "exercise/site.hpp"
#include "exercise/tolerance.hpp"

namespace shale::exercise {

/// Makes operations on a tree and on the model, and compares what comes of them.
class Player {
public:
    explicit Player(Site& site) : site_(site), model_(site.first_tree(), site.traits()) {}

    const Model& model() const { return model_; }
    const Tolerated& tolerated() const { return tolerated_; }

    /// Makes @p operation; then looks at the objects it is about, and at the directories that hold them. After a
    /// remount, at all.
    std::optional<Difference> step(const Operation& operation);
    std::optional<Difference> compare_all();

private:
    std::optional<Difference> judge(const Operation& operation, const Plan& plan, int answer);
    std::optional<Difference> compare_touched(const Plan& plan);
    bool is_tolerated(const Operation& operation, const Plan& plan, int answer);
    void expect_other_times(const Operation& operation);

    Site& site_;
    Model model_;
    Step step_{};
    Tolerated tolerated_;
};

std::optional<Difference> judge_layers(Site& site);

/// What came of a case.
struct Failure {
    size_t step = 0; ///< so many were made, the last of which brought it out, or the look at everything after it
    Difference difference;
};

/// Where a look at everything is due, in a case that is played again.
struct Looks {
    bool at_end = false; ///< at the tree, after the last step
    bool at_layers = false; ///< and then at what is left on disk
};

/// Plays all of @p played on a fresh site. Throws Error where it can't be set up.
std::optional<Failure> play(const Case& played, const Looks& looks, const OpenSite& open);

} // namespace shale::exercise
