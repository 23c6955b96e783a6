// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The marks that a stacking file system leaves in its layers: how they are named and what their
// values mean. Pure: nothing here does I/O.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shale::ondisk {

/// The name space that the marks of a mount live in: trusted.overlay.* or, with the option
/// userxattr, user.overlay.*.
enum class Prefix { trusted, user };

/// One kind of mark.
enum class Mark {
    opaque,
    whiteout,
    redirect,
    origin,
    impure,
    nlink,
    upper,
    uuid,
    metacopy,
    protattr
};

/// The name of the extended attribute that holds `mark`, such as "trusted.overlay.opaque".
std::string xattr_name(Prefix prefix, Mark mark);

/// Whether a file with these attributes is a whiteout: a character device 0:0.
bool is_whiteout_device(mode_t mode, dev_t rdev) noexcept;

/// Whether such a file is a whiteout if it carries Mark::whiteout: an empty regular file.
bool may_be_xattr_whiteout(mode_t mode, off_t size) noexcept;

/// What Mark::opaque says about a directory.
enum class Opaque {
    no,              ///< merges with the directories below it
    yes,             ///< hides everything below it
    xattr_whiteouts, ///< merges, and may contain whiteouts that are empty files
};

/// Meaning of the value of Mark::opaque. Values nobody defined mean Opaque::no, as in the kernel.
Opaque decode_opaque(std::string_view value) noexcept;

/// Where the look-up in lower layers goes on: under another name in the same directory, or at a
/// path counted from the root of each layer.
struct Redirect {
    bool absolute = false;
    std::vector<std::string> components; ///< never empty; exactly one if relative

    bool operator==(const Redirect&) const = default;
};

/// Decodes the value of Mark::redirect; nothing if the value is not a valid redirect (too long,
/// empty, an empty component, "." or "..", one of more than 255 bytes, a relative one of several
/// components, a null byte).
std::optional<Redirect> decode_redirect(std::string_view value);

/// The inverse of decode_redirect.
std::string encode_redirect(const Redirect& redirect);

} // namespace shale::ondisk
