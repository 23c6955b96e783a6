// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace shale::oci {

/// What a user means by PATH[:TAG], or by "-".
struct Reference {
    std::string path; ///< "-": standard input
    std::string tag; ///< empty: none given
};

/// Splits @p text. Both halves may contain colons: the longest prefix that exists in the file
/// system is the path. Throws Error where none does. A file called "-" is "./-".
Reference split_reference(const std::string& text);

} // namespace shale::oci
