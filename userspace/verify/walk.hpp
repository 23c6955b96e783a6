// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A mount, or a directory in it, held against the model, name by name.
#pragma once

#include <cstdint>
#include <string>

#include "verify/finding.hpp"
#include "verify/subject.hpp"

namespace shale::verify {

struct Options {
    bool content = true; ///< compare what files hold
    unsigned jobs = 1;   ///< threads
};

/// What was looked at.
struct Totals {
    uint64_t names = 0; ///< that either has, whiteouts included
    uint64_t directories = 0;
    uint64_t bytes = 0; ///< of content
    uint64_t findings = 0;
    uint64_t unjudged = 0;
};

/// Who wants to know, while it goes on. One call at a time, from any thread.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void found(const Finding& finding) = 0;
    /// @p path could not be judged, nor what is below it: a layer could not be read.
    virtual void not_judged(const std::string& path, const std::string& reason) = 0;
    /// Some ten times in a second.
    virtual void so_far(const Totals& totals) = 0;
    /// Asked as often; true ends it.
    virtual bool cancelled() = 0;
};

/// Judges everything. Throws Cancelled when told to stop, and Error where it can't begin.
Totals verify(const Subject& subject, const Options& options, Observer& observer);

} // namespace shale::verify
