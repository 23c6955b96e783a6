// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "selftest/check.hpp"

namespace shale::selftest {

/// Whether the caller can keep marks as trusted.overlay.* in @p dir. Who can't, as in a user namespace, mounts with
/// userxattr and keeps them as user.overlay.*.
bool can_mark_as_trusted(const std::string& dir);

/// Whether files in the empty directory @p dir have handles, by which copies find what they were copied from.
bool gives_handles(const std::string& dir);

/// Tries in the empty directory @p dir what the union needs or makes use of, and leaves it empty. What is missing is
/// Verdict::lacks. Throws Error if not even plain files can be made.
void check_base(const std::string& dir, const Report& report);

} // namespace shale::selftest
