// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Layers as they lie on the disk, looked through for what mounts would stumble over.
#pragma once

#include <cstdint>

#include "fsck/finding.hpp"
#include "fsck/subject.hpp"

namespace shale::fsck {

/// What was looked at.
struct Totals {
    uint64_t objects = 0; ///< in all layers, the index and the work directory
};

/// Who wants to know, while it goes on.
class Observer {
public:
    virtual ~Observer() = default;
    /// Often, so it must be cheap.
    virtual void so_far(const Totals&) {}
    /// Asked as often; true ends it.
    virtual bool cancelled() { return false; }
    /// Before a step is done, and after it is in the journal.
    virtual void doing(const Step&) {}
};

struct Result {
    Findings findings;
    Totals totals;
};

/// Looks through all of @p subject, and changes nothing. Throws Cancelled when told to stop, and Error where a layer
/// can't be read, or layers lie within each other, which no mount takes.
Result check(const Subject& subject, Observer& observer);

} // namespace shale::fsck
