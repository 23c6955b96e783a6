// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "oci/archive_members.hpp"
#include "oci/json.hpp"

namespace shale::oci {

/// One image of a docker-archive.
struct DockerImage {
    std::string manifest;          ///< an OCI manifest that says the same: a docker-archive has none
    std::vector<std::string> tags; ///< such as "debian:12"; may be empty
};

/// What `docker save` and its like wrote: manifest.json, and the configs and layers that it names. The
/// layers may be compressed. What a layer without compression holds is compared with the config.
/// Throws Error naming what is missing or wrong.
std::vector<DockerImage> read_docker_archive(const ArchiveMembers& archive);

} // namespace shale::oci
