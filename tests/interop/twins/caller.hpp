// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include <sys/types.h>

namespace shale::twins {

/// On whose behalf a system call is made.
struct Caller {
    uid_t id = 0; ///< user and group
    mode_t umask = 022;

    std::string text() const;
};

/// Makes this process the caller, as the file system sees it, until the end of the scope.
class AsCaller {
public:
    explicit AsCaller(const Caller& caller);
    ~AsCaller();
    AsCaller(const AsCaller&) = delete;
    AsCaller& operator=(const AsCaller&) = delete;

private:
    Caller previous_;
};

} // namespace shale::twins
