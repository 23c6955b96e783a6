// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "base/fd.hpp"

namespace shale {

/// That what lies in a directory of ROOT stays there: a lock (flock) of that directory, for as long as
/// the object lives. Whoever relies on something in it that the database alone does not keep there
/// holds it shared; whoever removes such holds it alone.
///
///     layers      layers and blobs that no image refers to yet, or any more
///     snapshots   writable layers on their way to a mount
///     staging     a directory that is made there and not locked yet; see Staging
///
/// It is taken before the database's write lock. A process that dies gives it back.
class UseLock {
public:
    /// Waits until nobody removes anything. @p root is an open ROOT.
    static UseLock shared(int root, const std::string& directory);
    /// Waits until nobody else holds it.
    static UseLock alone(int root, const std::string& directory);
    /// Nothing where somebody holds it.
    static std::optional<UseLock> alone_at_once(int root, const std::string& directory);

private:
    explicit UseLock(UniqueFd fd) : fd_(std::move(fd)) {}

    UniqueFd fd_;
};

} // namespace shale
