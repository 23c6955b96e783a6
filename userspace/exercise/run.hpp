// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>

#include "exercise/player.hpp"
#include "exercise/shrink.hpp"
#include "exercise/site.hpp"

namespace shale::exercise {

/// What came of a run.
struct Outcome {
    Case played;                      ///< with the operations that were made
    std::optional<Failure> failure{}; ///< none: all was as the model says
    Looks looks{};                    ///< that bring it out again
    Tolerated tolerated{};
};

/// Makes @p count random operations on the site of @p begin, which has none yet, decided by its seed. Looks at
/// everything before the first, now and then, and after the last; then at the layers. @p tick is called for each, and
/// may throw to end it.
Outcome run(const Case& begin, size_t count, const OpenSite& open, const std::function<void()>& tick);

} // namespace shale::exercise
