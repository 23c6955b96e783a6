// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "tree/union.hpp"

namespace shale {

/// Whether the index of a work directory (mount option index=on) has files: then the mount may show one of them
/// under a name that only a lower layer has. @p work is a path.
bool has_indexed_files(const std::string& work);

/// Gives each file of @p index all the names under which a mount shows it, in the writable layer @p upper, so
/// that this says without the index what the mount shows with it. Both are open directories, copies that no one
/// else has; @p after is the union with that writable layer. Looks through all of it. Throws Error.
void add_indexed_names(const tree::Union& after, int upper, int index);

} // namespace shale
