// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/wait.hpp"

#include <cerrno>

#include <poll.h>

#include "base/error.hpp"

namespace shale {

Waiting::Waiting() {
    sigset_t stops;
    sigemptyset(&stops);
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&stops, number);
    pthread_sigmask(SIG_BLOCK, &stops, &before_);
}

Waiting::~Waiting() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool Waiting::wait(int fd, std::optional<std::chrono::milliseconds> time) {
    pollfd poll{fd, POLLIN, 0};
    timespec limit{};
    if (time) {
        limit.tv_sec = time->count() / 1000;
        limit.tv_nsec = time->count() % 1000 * 1000000;
    }
    if (ppoll(&poll, 1, time ? &limit : nullptr, &before_) < 0 && errno != EINTR)
        throw Error::from_errno("waiting", errno);
    return CancelOnSignal::received() == 0;
}

} // namespace shale
