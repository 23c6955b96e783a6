// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ondisk/xattr_names.hpp"

#include <linux/shale_ondisk.h>

namespace shale::ondisk {

namespace {

constexpr std::string_view level = "overlay.";

} // namespace

std::string_view mark_prefix(Prefix prefix) noexcept {
    return prefix == Prefix::trusted ? SHALE_XATTR_TRUSTED : SHALE_XATTR_USER;
}

bool is_private_to_any(std::string_view stored) noexcept {
    return stored.starts_with(SHALE_XATTR_TRUSTED) || stored.starts_with(SHALE_XATTR_USER);
}

std::optional<std::string> shown_name(Prefix prefix, std::string_view stored) {
    const auto own = mark_prefix(prefix);
    if (!stored.starts_with(own))
        return std::string(stored);
    const auto rest = stored.substr(own.size());
    if (!rest.starts_with(level))
        return std::nullopt;
    return std::string(own).append(rest.substr(level.size()));
}

std::string stored_name(Prefix prefix, std::string_view shown) {
    const auto own = mark_prefix(prefix);
    if (!shown.starts_with(own))
        return std::string(shown);
    return std::string(own).append(level).append(shown.substr(own.size()));
}

} // namespace shale::ondisk
