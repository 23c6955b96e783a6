// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "oci/layer_writer.hpp"

namespace shale::oci {

/// Where the open file @p fd of @p size bytes has anything but zeros, to be written to a layer.
///
/// What counts is the content and not what the file system keeps as holes, which depends on its kind and
/// on the file's past: so the same content makes the same layer. Only zeros worth it are left out (16 MiB
/// in blocks of 64 KiB), and other files are one extent: programs that take archives apart to put them
/// together again (docker, podman: tar-split) do not do that with sparse ones.
std::vector<Extent> file_extents(int fd, uint64_t size, const std::string& shown);

} // namespace shale::oci
