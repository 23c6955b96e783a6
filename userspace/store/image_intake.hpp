// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "base/progress.hpp"
#include "oci/manifest.hpp"
#include "store/blob_intake.hpp"
#include "store/image_import.hpp"
#include "store/workplace.hpp"

namespace shale {

/// Takes an image into the store as @p name: blobs and layers that it lacks, and then its row. @p manifest
/// has all its fields, and @p source what the store lacks. The caller holds the lock of layers/.
ImageRecord take_in(oci::Manifest manifest, const oci::BlobDirectory& source, BlobOwner owner,
                    const std::string& name, const ImportTarget& store, const Workplace& work,
                    Progress& progress);

} // namespace shale
