// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/stream.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale {

namespace {

constexpr int patience = 200; ///< milliseconds between two questions whether to stop

/// Until @p fd is ready or no waiting will help.
void wait_for(int fd, short events, const std::string& shown, Progress& progress) {
    struct pollfd poll_fd = {fd, events, 0};
    int ready;
    do {
        if (progress.cancelled())
            throw Cancelled(shown);
        ready = poll(&poll_fd, 1, patience);
    } while (ready == 0 || (ready < 0 && errno == EINTR));
}

} // namespace

void write_stream(int fd, const void* data, size_t size, const std::string& shown,
                  Progress& progress) {
    const char* next = static_cast<const char*>(data);
    while (size > 0) {
        wait_for(fd, POLLOUT, shown, progress);
        // A pipe that is ready takes at least a page; more might wait where nobody asks.
        const ssize_t written = write(fd, next, std::min<size_t>(size, 4096));
        if (written < 0 && errno != EINTR && errno != EAGAIN)
            throw Error::from_errno(shown, errno);
        if (written < 0)
            continue;
        next += written;
        size -= static_cast<size_t>(written);
    }
}

size_t read_stream(int fd, void* data, size_t size, const std::string& shown, Progress& progress) {
    for (;;) {
        wait_for(fd, POLLIN, shown, progress);
        const ssize_t got = read(fd, data, size);
        if (got >= 0)
            return static_cast<size_t>(got);
        if (errno != EINTR && errno != EAGAIN)
            throw Error::from_errno(shown, errno);
    }
}

} // namespace shale
