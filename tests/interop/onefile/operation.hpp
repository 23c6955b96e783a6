// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>

#include "session.hpp"

namespace shale::onefile {

/// A kind of operation. All choices are made when it runs.
struct Operation {
    const char* name;
    unsigned weight;               ///< how often it comes, in comparison with the others
    Effect effect;                 ///< of the largest that it may have
    bool (*run)(Session& session); ///< false: it can't be done now, and nothing was
};

std::span<const Operation> read_operations();
std::span<const Operation> write_operations();
std::span<const Operation> range_operations();
std::span<const Operation> mapping_operations();
std::span<const Operation> open_operations();
std::span<const Operation> name_operations();

} // namespace shale::onefile
