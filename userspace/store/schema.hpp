// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>

#include "store/database.hpp"

namespace shale {

/// Brings the database to the schema this program knows; throws Error where it is a newer one.
/// @p write_files puts beside it what the store keeps of its content since version 3.
void ensure_schema(Database& database, const std::function<void()>& write_files);

} // namespace shale
