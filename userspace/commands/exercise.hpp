// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "commands/globals.hpp"

namespace shale {

/// What `shale verify --exercise` is asked for.
struct Exercise {
    std::optional<std::string> target; ///< a live mount; none: mounts of its own
    std::optional<unsigned> seed;      ///< none: a random one
    uint64_t operations = 10000;
    std::string scratch; ///< where its own mounts' layers lie; empty: $TMPDIR or /tmp
    std::string type;    ///< of its own mounts; empty: the module's
    std::string options; ///< of its own mounts, with commas, in place of those that the seed chooses
};

/// Makes random operations, and throws when something differs, after it was told.
void run_exercise(const Exercise& request, const Globals& globals);

} // namespace shale
