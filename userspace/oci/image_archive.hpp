// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "base/progress.hpp"
#include "oci/byte_source.hpp"
#include "oci/layout.hpp"

namespace shale::oci {

/// Reads an image, or several, from an archive: a tar, as it is or compressed, of an OCI image layout,
/// or what `docker save` wrote. Its files go into the open, empty directory @p directory, which outlives
/// the result; @p shown names the archive in messages. Throws Error.
Layout read_image_archive(ByteSource& input, int directory, const std::string& shown, Progress& progress);

} // namespace shale::oci
