// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/acl.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

namespace shale::oci {

namespace {

struct AclEntry {
    uint16_t tag;
    uint16_t permissions;
    uint32_t id;
};

/// 0 where the tag means nothing in a POSIX ACL.
uint16_t kernel_tag(int tag) {
    switch (tag) {
    case ARCHIVE_ENTRY_ACL_USER_OBJ:
        return ACL_USER_OBJ;
    case ARCHIVE_ENTRY_ACL_USER:
        return ACL_USER;
    case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
        return ACL_GROUP_OBJ;
    case ARCHIVE_ENTRY_ACL_GROUP:
        return ACL_GROUP;
    case ARCHIVE_ENTRY_ACL_MASK:
        return ACL_MASK;
    case ARCHIVE_ENTRY_ACL_OTHER:
        return ACL_OTHER;
    default:
        return 0;
    }
}

void append_little_endian(std::string& out, uint32_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        out += static_cast<char>(value >> (8 * i));
}

} // namespace

std::string posix_acl_xattr(archive_entry* entry, bool default_acl) {
    const int wanted = default_acl ? ARCHIVE_ENTRY_ACL_TYPE_DEFAULT : ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
    // The three entries that every access ACL has are in the mode already.
    if (archive_entry_acl_reset(entry, wanted) <= (default_acl ? 0 : 3))
        return "";
    std::vector<AclEntry> entries;
    int type, permissions, tag, id;
    const char* name;
    while (archive_entry_acl_next(entry, wanted, &type, &permissions, &tag, &id, &name) ==
           ARCHIVE_OK) {
        const uint16_t kernel = kernel_tag(tag);
        const bool named = kernel == ACL_USER || kernel == ACL_GROUP;
        if (kernel == 0 || (named && id < 0))
            continue;
        // libarchive's read, write and execute bits are the kernel's.
        entries.push_back(
            {kernel, static_cast<uint16_t>(permissions & 7),
             named ? static_cast<uint32_t>(id) : static_cast<uint32_t>(ACL_UNDEFINED_ID)});
    }
    // The kernel wants them in the order of the tags' numbers.
    std::stable_sort(entries.begin(), entries.end(),
                     [](const AclEntry& a, const AclEntry& b) { return a.tag < b.tag; });
    std::string value;
    append_little_endian(value, POSIX_ACL_XATTR_VERSION, 4);
    for (const AclEntry& acl : entries) {
        append_little_endian(value, acl.tag, 2);
        append_little_endian(value, acl.permissions, 2);
        append_little_endian(value, acl.id, 4);
    }
    return value;
}

} // namespace shale::oci
