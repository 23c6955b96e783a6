// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/descriptor.hpp"

namespace shale::oci {

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
    descriptor.tag =
        json.object_or_empty("annotations").string_or("org.opencontainers.image.ref.name", "");
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
