// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

struct archive_entry;

namespace shale::oci {

/// The ACL that an archive entry carries as text, in the form of the extended attribute
/// system.posix_acl_access (or _default); empty where it carries none beyond the mode.
/// @p default_acl picks which. Entries that name a user or group without its number are left out:
/// names of the machine that wrote the archive mean nothing here.
std::string posix_acl_xattr(archive_entry* entry, bool default_acl);

} // namespace shale::oci
