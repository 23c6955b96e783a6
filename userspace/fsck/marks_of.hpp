// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/xattr.hpp"
#include "ondisk/marks.hpp"

namespace shale::fsck {

/// The marks that one object carries. Those of a nested mount, which lie one level deeper, are its own affair.
struct Marks {
    std::map<ondisk::Mark, std::string> known;
    std::vector<std::string> unknown; ///< names of attributes
    bool has_other_prefix = false;    ///< user.overlay.* where marks are trusted.overlay.*, or the other way

    /// The value; null without the mark.
    const std::string* find(ondisk::Mark mark) const {
        const auto found = known.find(mark);
        return found == known.end() ? nullptr : &found->second;
    }
};

/// Throws Error.
Marks marks_of(const XattrTarget& object, ondisk::Prefix prefix);

/// Whether @p value is a record of an origin that can be followed.
bool is_valid_origin(const std::string& value);

/// @p value for people: as it is, or its digits where it is no text, and not all of it where it is long.
std::string shown_value(const std::string& value);

/// The bytes of @p value in hexadecimal digits.
std::string hex(const std::string& value);

} // namespace shale::fsck
