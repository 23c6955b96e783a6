// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <optional>
#include <string>

#include "exercise/site.hpp"

namespace shale::exercise {

/// What stat(2) says of all that is below a directory, by path, but for times of access. Nothing of a layer changes
/// without a change of this: its time of status change can't be set.
using Statuses = std::map<std::string, std::string>;

/// Adds all below @p directory. Throws Error.
void add_statuses(const std::string& directory, Statuses& statuses);

/// What has changed since @p before, if anything.
std::optional<Difference> compare(const Statuses& before, const Statuses& after);

} // namespace shale::exercise
