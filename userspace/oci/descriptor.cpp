// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/descriptor.hpp"

namespace shale::oci {

namespace {

/// "docker.io/library/debian:12" is what everybody calls "debian:12".
std::string familiar(std::string name) {
    for (const std::string prefix : {"docker.io/", "library/"}) {
        if (!name.starts_with(prefix))
            break;
        name.erase(0, prefix.size());
    }
    return name;
}

} // namespace

Descriptor Descriptor::parse(const JsonFile& json) {
    Descriptor descriptor;
    descriptor.media_type = json.string("mediaType");
    descriptor.digest = Digest::parse(json.string("digest"), json.shown());
    descriptor.size = json.number("size");
    if (json.has("platform")) {
        const JsonFile platform = json.object_or_empty("platform");
        descriptor.platform =
            Platform{platform.string_or("os", ""), platform.string_or("architecture", "")};
    }
    const JsonFile annotations = json.object_or_empty("annotations");
    descriptor.tag = annotations.string_or("org.opencontainers.image.ref.name", "");
    descriptor.name = familiar(annotations.string_or("io.containerd.image.name", ""));
    return descriptor;
}

bool Descriptor::is_index() const {
    return media_type == "application/vnd.oci.image.index.v1+json" ||
           media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

bool Descriptor::is_manifest() const {
    return media_type == "application/vnd.oci.image.manifest.v1+json" ||
           media_type == "application/vnd.docker.distribution.manifest.v2+json";
}

} // namespace shale::oci
