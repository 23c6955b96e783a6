// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/publication.hpp"

#include <cerrno>

#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale {

Publication::~Publication() {
    for (const std::string& name : published_) {
        try {
            rename_at(target_, name, staging_, name);
        } catch (const Error&) {
            // It stays, whole and unknown to the database; the next import takes it up.
        }
    }
}

bool Publication::publish(const std::string& name) {
    const bool moved = rename_new_at(staging_, name, target_, name);
    if (moved)
        published_.push_back(name);
    return moved;
}

void Publication::sync() const {
    if (fsync(target_) != 0)
        throw Error::from_errno("store", errno);
}

} // namespace shale
