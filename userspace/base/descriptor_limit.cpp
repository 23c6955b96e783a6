// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/descriptor_limit.hpp"

#include <algorithm>

#include <sys/resource.h>

namespace shale {

void raise_descriptor_limit() {
    constexpr rlim_t many = 65536;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    const rlim_t most = std::max(limit.rlim_max, many);
    const rlimit raised{most, most};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace shale
