// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ctime>
#include <string>

#include <sys/types.h>

#include "base/dice.hpp"

namespace shale::exercise {

/// Few names, so that operations meet each other's work.
inline constexpr const char* names[] = {"a", "b", "c", "d", "e", "f"};

mode_t random_mode(Dice& dice);
uid_t random_id(Dice& dice);
/// One character so many times, as a shell makes it: "head -c 5000 /dev/zero | tr '\0' x".
std::string random_bytes(Dice& dice);
uint64_t random_offset(Dice& dice);
/// Long ago, with nanoseconds.
timespec past_time(Dice& dice);

} // namespace shale::exercise
