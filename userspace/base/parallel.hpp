// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

namespace shale {

/// Calls @p work(0) to @p work(count - 1) from @p jobs threads, in no order. @p work gives up early when the
/// second argument becomes true. @p tick is called ten times a second meanwhile, from the caller's thread. What
/// either throws ends all, and is thrown.
void in_parallel(size_t count, unsigned jobs,
                 const std::function<void(size_t, const std::atomic<bool>& stop)>& work,
                 const std::function<void()>& tick);

/// As many threads as there are processors.
unsigned default_jobs();

} // namespace shale
