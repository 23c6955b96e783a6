// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <optional>

#include <signal.h>

#include "base/cancel.hpp"

namespace shale {

/// For commands that go on until they are told to stop: while it lives, SIGINT, SIGTERM and SIGHUP
/// only end the waiting, none is missed between two waits, and no system call is interrupted.
class Waiting {
public:
    Waiting();
    ~Waiting();
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    /// Waits until @p fd can be read (-1: for nothing) or @p time is over. False when told to stop.
    bool wait(int fd, std::optional<std::chrono::milliseconds> time = std::nullopt);

private:
    CancelOnSignal signals_;
    sigset_t before_;
};

} // namespace shale
