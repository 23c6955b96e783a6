// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace shale::running {

struct User {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups; ///< further ones
    std::string home = "/";
};

/// Whom @p text ("", NAME, NUMBER, or either with :GROUP) means by the files @p passwd and @p group, which are given
/// as texts. Throws Error where there is no such user or group.
User find_user(const std::string& text, const std::string& passwd, const std::string& group);

} // namespace shale::running
