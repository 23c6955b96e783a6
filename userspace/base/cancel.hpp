// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <csignal>

namespace shale {

/// While it lives, SIGINT, SIGTERM and SIGHUP only raise a flag, so that an operation can undo
/// itself. The earlier handlers come back at the end. At most one at a time.
class CancelOnSignal {
public:
    CancelOnSignal();
    ~CancelOnSignal();
    CancelOnSignal(const CancelOnSignal&) = delete;
    CancelOnSignal& operator=(const CancelOnSignal&) = delete;

    /// Number of the signal that arrived, or 0. A shell expects exit status 128 plus it.
    static int received();

private:
    static constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction before_[3];
};

} // namespace shale
