// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>

#include "exercise/player.hpp"
#include "exercise/site.hpp"

namespace shale::exercise {

/// How far it is.
struct Shrinking {
    size_t operations = 0; ///< left, those that make the layers included
    size_t replays = 0;
};

/// A case and what it brings out.
struct Found {
    Case played;
    Failure failure;
};

/// Leaves away what is not needed for the same kind of difference: pieces of the list, first large ones, then single
/// operations, until none can go (delta debugging); then makes simple what is left. Each try is played on a fresh site.
/// @p tick is told of each, and ends it early by returning false: what it has come to by then is returned. A case that
/// does not fail again is returned as it is.
Found shrink(const Found& found, const Looks& looks, const OpenSite& open,
             const std::function<bool(const Shrinking&)>& tick);

} // namespace shale::exercise
