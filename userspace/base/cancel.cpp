// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/cancel.hpp"

#include <iterator>

namespace shale {

namespace {

volatile std::sig_atomic_t received_signal = 0;

void remember(int number) {
    received_signal = number;
}

} // namespace

CancelOnSignal::CancelOnSignal() {
    received_signal = 0;
    struct sigaction action = {};
    action.sa_handler = remember;
    action.sa_flags = SA_RESTART;
    for (size_t i = 0; i < std::size(signals); i++) {
        sigaction(signals[i], nullptr, &before_[i]);
        // What the parent chose to ignore (nohup) stays ignored.
        if (before_[i].sa_handler != SIG_IGN)
            sigaction(signals[i], &action, nullptr);
    }
}

CancelOnSignal::~CancelOnSignal() {
    for (size_t i = 0; i < std::size(signals); i++)
        sigaction(signals[i], &before_[i], nullptr);
}

int CancelOnSignal::received() {
    return received_signal;
}

} // namespace shale
