// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "base/progress.hpp"
#include "store/catalog.hpp"

namespace shale {

/// What an import needs of a store.
struct ImportTarget {
    std::string root; ///< absolute
    int fd;           ///< root, open
    Catalog& catalog;
};

/// See Store::import_layout.
ImageRecord import_image(const std::string& path, const std::string& tag, const std::string& name,
                         const ImportTarget& store, Progress& progress);

/// See Store::import_archive.
ImageRecord import_archive(int fd, const std::string& shown, const std::string& tag,
                           const std::string& name, const ImportTarget& store, Progress& progress);

} // namespace shale
