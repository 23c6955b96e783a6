// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "exercise/node.hpp"
#include "tree/union.hpp"

namespace shale::exercise {

/// All that a union shows, with its content. Throws Error, also where marks lead nowhere.
NodePtr tree_of(const tree::Union& shown);

/// An empty directory, as it is.
NodePtr tree_of_empty(int directory);

} // namespace shale::exercise
