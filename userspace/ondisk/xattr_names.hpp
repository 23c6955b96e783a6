// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which extended attributes of a layer a mount shows, and under which name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ondisk/marks.hpp"

namespace shale::ondisk {

/// "trusted.overlay." or "user.overlay.".
std::string_view mark_prefix(Prefix prefix) noexcept;

/// Whether @p stored is a name that a stacking file system may keep for itself, under either prefix.
/// An image that comes with such names must not bring them into a layer.
bool is_private_to_any(std::string_view stored) noexcept;

/// The name under which a mount shows the attribute that a layer holds as `stored`; nothing if it
/// is a mark of the mount's own. A nested mount's marks are stored one level deeper
/// ("trusted.overlay.overlay.opaque") and shown without that level.
std::optional<std::string> shown_name(Prefix prefix, std::string_view stored);

/// The inverse of shown_name: the name under which a layer holds what a mount shows as `shown`.
std::string stored_name(Prefix prefix, std::string_view shown);

} // namespace shale::ondisk
