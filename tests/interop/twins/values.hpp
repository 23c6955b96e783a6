// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include <sys/types.h>

#include "base/dice.hpp"

/// Values that layers and operations set, few enough to meet each other.
namespace shale::twins {

/// The one user beside root. Directories and files of all modes are met by both.
inline constexpr uid_t user = 1000;

mode_t random_mode(Dice& dice);
uid_t random_owner(Dice& dice);

/// Some bytes, of a size that ends within a page, at its end, or two pages later.
std::string random_data(Dice& dice);

/// An attribute with its value: one of a user's, a trusted one, one that lies in the name space of
/// marks (which a mount has to escape), or a file capability.
struct Xattr {
    std::string name;
    std::string value;
};
Xattr random_xattr(Dice& dice);

/// A value of system.posix_acl_access or system.posix_acl_default.
std::string random_acl(Dice& dice);
/// Now and then one that is refused.
std::string random_acl_or_nonsense(Dice& dice);
const char* random_acl_name(Dice& dice);

/// A moment in the years after 2001.
timespec random_time(Dice& dice);

} // namespace shale::twins
