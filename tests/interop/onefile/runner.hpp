// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "session.hpp"

namespace shale::onefile {

/// What to run.
struct Task {
    unsigned seed = 1;
    unsigned operations = 1000;
    unsigned first_session = 0; ///< to have one again
    bool direct = false;
    Setting setting;
};

/// Sessions, one after another, until so many operations were made. False, when there was a
/// difference, which is printed.
bool run(const Task& task, Journal& journal);

} // namespace shale::onefile
