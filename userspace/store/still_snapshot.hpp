// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "store/commit.hpp"
#include "store/records.hpp"
#include "store/staging.hpp"
#include "store/use_lock.hpp"
#include "tree/union.hpp"

namespace shale {

/// A writable layer and what it stands on, as both are at one moment. Of one that is mounted a copy is made,
/// for which the mount holds still; and of one with an index, in which that is then needed no more.
class StillSnapshot {
public:
    /// @p root is an open ROOT, whose snapshots/ the caller has locked, shared, and may unlock afterwards;
    /// @p lowers are the layers of the snapshot's image, the top-most first; @p staging has room for the copy.
    /// All outlive the object. Throws Error where the snapshot can't be kept from changing.
    StillSnapshot(int root, const SnapshotRecord& snapshot, const std::vector<std::string>& lowers,
                  const Staging& staging, const UpperAccess& access, Progress& progress);

    const tree::Union& before() const { return *before_; }
    const tree::Union& after() const { return *after_; }

    /// To be called when all was read: throws Error where it may have changed meanwhile.
    void check() const;

private:
    void copy(Hold* hold, bool has_index, const Staging& staging, Progress& progress);

    const SnapshotRecord& snapshot_;
    const UpperAccess& access_;
    UseLock not_mounted_; ///< nor removed
    bool is_held_ = false; ///< it was mounted, and then copied
    std::unique_ptr<tree::Union> before_;
    std::unique_ptr<tree::Union> after_;
};

} // namespace shale
