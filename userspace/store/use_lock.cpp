// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/use_lock.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale {

namespace {

/// Empty where that would wait, and @p how says not to.
UniqueFd locked(int root, const std::string& directory, int how) {
    UniqueFd fd = open_at(root, directory, O_RDONLY | O_DIRECTORY);
    while (flock(fd.get(), how) != 0) {
        if (errno == EWOULDBLOCK)
            return UniqueFd();
        if (errno != EINTR)
            throw Error::from_errno(directory, errno);
    }
    return fd;
}

} // namespace

UseLock UseLock::shared(int root, const std::string& directory) {
    return UseLock(locked(root, directory, LOCK_SH));
}

UseLock UseLock::alone(int root, const std::string& directory) {
    return UseLock(locked(root, directory, LOCK_EX));
}

std::optional<UseLock> UseLock::alone_at_once(int root, const std::string& directory) {
    UniqueFd fd = locked(root, directory, LOCK_EX | LOCK_NB);
    if (!fd)
        return std::nullopt;
    return UseLock(std::move(fd));
}

} // namespace shale
