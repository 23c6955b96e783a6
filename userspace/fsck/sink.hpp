// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/error.hpp"
#include "fsck/check.hpp"

namespace shale::fsck {

/// Where the parts of a check put what they find.
class Sink {
public:
    explicit Sink(Observer& observer) : observer_(observer) {}

    void add(Finding finding) { result_.findings.push_back(std::move(finding)); }

    /// One more object is looked at. Throws Cancelled.
    void count() {
        ++result_.totals.objects;
        if (result_.totals.objects % 256 != 0)
            return;
        observer_.so_far(result_.totals);
        check_cancelled();
    }
    void check_cancelled() const {
        if (observer_.cancelled())
            throw Cancelled("fsck");
    }

    Result take() { return std::move(result_); }

private:
    Observer& observer_;
    Result result_;
};

} // namespace shale::fsck
