// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <fcntl.h>

#include "base/at.hpp"
#include "store/staging.hpp"

namespace shale {

/// The directories of one import or commit: ROOT/staging/OWN/{layers,blobs,trees}, and what else is made there.
struct Workplace {
    explicit Workplace(int root)
        : staging(root), layers(make("layers")), blobs(make("blobs")), trees(make("trees")) {}

    UniqueFd make(const std::string& name) const {
        make_directory_at(staging.fd(), name, 0700);
        return open_at(staging.fd(), name, O_RDONLY | O_DIRECTORY);
    }

    Staging staging;
    UniqueFd layers;
    UniqueFd blobs;
    UniqueFd trees;
};

} // namespace shale
