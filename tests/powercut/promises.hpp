// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace shale::powercut {

/// Where a hand says that an operation has come back which promises something. Many hands may at once.
class Promises {
public:
    virtual ~Promises() = default;
    virtual void made(unsigned hand, unsigned number) = 0;
};

/// A line on standard output: "HAND NUMBER", behind @p prefix.
std::unique_ptr<Promises> promises_on_output(const std::string& prefix);

/// A mark in the log of the dm-log-writes device of this name: "HAND:NUMBER".
std::unique_ptr<Promises> promises_in_log(const std::string& device);

/// Numbers of the promises of each hand, out of a file of lines "HAND NUMBER". The last one may be torn.
std::vector<std::vector<unsigned>> read_promises(const std::string& path);

} // namespace shale::powercut
