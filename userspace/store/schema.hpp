// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/database.hpp"

namespace shale {

/// Brings the database to the schema this program knows; throws Error where it is a newer one.
void ensure_schema(Database& database);

} // namespace shale
