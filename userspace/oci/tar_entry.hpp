// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <sys/types.h>

#include "oci/layer_name.hpp"

namespace shale::oci {

using Xattrs = std::vector<std::pair<std::string, std::string>>;

/// One member of a tar, without its content.
struct TarEntry {
    std::string thing; ///< "BLOB: entry 'NAME'", for messages
    LayerName name;
    bool hard_link = false; ///< then `link` is the other name and nothing else here counts
    std::string link;       ///< target of a symbolic or hard link, as it came
    mode_t mode = 0;        ///< type and permissions
    uid_t uid = 0;
    gid_t gid = 0;
    dev_t device = 0;
    uint64_t size = 0; ///< of a regular file, holes included
    struct timespec modified = {};
    Xattrs xattrs;
};

} // namespace shale::oci
