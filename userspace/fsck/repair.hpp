// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "fsck/check.hpp"

namespace shale::fsck {

struct RepairOptions {
    std::string journal;          ///< path of the file; it may exist
    bool accept_volatile = false; ///< the mark of a volatile mount is removed: what it warns of is accepted
};

struct Repair {
    Findings done; ///< what is in order now
    Result left;
};

/// The file in the work directory @p work that serves as the journal if no other is named. Mounts look at nothing
/// there but `work` and `index`.
std::string journal_in(const std::string& work);

/// Whether @p finding is one that these options repair.
bool is_repaired(const Finding& finding, const RepairOptions& options);

/// Repairs the first layer, and its work directory, until a check finds nothing more to repair. Nothing may have them
/// mounted: only the caller can know. To be ended at any point and called again comes to the same.
/// Throws Cancelled between two steps when told to stop, and Error, with what was done before in the journal.
Repair repair(const Subject& subject, const RepairOptions& options, Observer& observer);

} // namespace shale::fsck
