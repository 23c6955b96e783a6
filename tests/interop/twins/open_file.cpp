// SPDX-License-Identifier: GPL-2.0-or-later
#include "open_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

#include "caller.hpp"
#include "tolerance.hpp"

namespace shale::twins {

namespace {

constexpr timespec known_time = {1'100'000'000, 0};

bool is_for_writing(int flags) {
    return !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY;
}

/// As root, for whoever may write need not be the owner.
void set_known_time(int fd) {
    const AsCaller root({});
    const timespec times[2] = {{0, UTIME_OMIT}, known_time};
    futimens(fd, times);
}

} // namespace

void set_known_time(const std::string& path) {
    const AsCaller root({});
    const timespec times[2] = {{0, UTIME_OMIT}, known_time};
    utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

UniqueFd open_file(const std::string& path, int flags, mode_t mode) {
    UniqueFd fd(open(path.c_str(), flags | O_NONBLOCK | O_CLOEXEC, mode));
    if (fd && is_for_writing(flags)) {
        set_known_time(fd.get());
        count(Tolerance::time_of_content);
    }
    return fd;
}

} // namespace shale::twins
