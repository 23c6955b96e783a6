// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/staging.hpp"

#include <cerrno>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/remove_tree.hpp"
#include "base/xattr.hpp"

namespace shale {

namespace {

constexpr int open_directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

/// Holds the lock of an open directory while it lives.
class DirectoryLock {
public:
    explicit DirectoryLock(int fd) : fd_(fd) {
        while (flock(fd_, LOCK_EX) != 0) {
            if (errno != EINTR)
                throw Error::from_errno("staging", errno);
        }
    }
    ~DirectoryLock() { flock(fd_, LOCK_UN); }
    DirectoryLock(const DirectoryLock&) = delete;
    DirectoryLock& operator=(const DirectoryLock&) = delete;

private:
    int fd_;
};

/// What is made inside must get its owner and mode from us alone.
void drop_inheritance(int fd) {
    if (fchown(fd, geteuid(), getegid()) != 0 || fchmod(fd, 0700) != 0)
        throw Error::from_errno("staging", errno);
    XattrTarget(fd).remove("system.posix_acl_default");
}

} // namespace

Staging::Staging(int root) : all_(open_at(root, "staging", open_directory)) {
    const DirectoryLock lock(all_.get());
    clean_stale();
    for (int i = 0;; i++) {
        name_ = std::to_string(getpid()) + "-" + std::to_string(i);
        if (mkdirat(all_.get(), name_.c_str(), 0700) == 0)
            break;
        if (errno != EEXIST)
            throw Error::from_errno("staging/" + name_, errno);
    }
    own_ = open_at(all_.get(), name_, open_directory);
    flock(own_.get(), LOCK_EX);
    drop_inheritance(own_.get());
}

Staging::~Staging() {
    try {
        remove_tree(all_.get(), name_);
    } catch (const Error&) {
        // The next import cleans up.
    }
}

void Staging::clean_stale() const {
    std::vector<std::string> names;
    const std::string path = "/proc/self/fd/" + std::to_string(all_.get());
    for (const auto& entry : std::filesystem::directory_iterator(path))
        names.push_back(entry.path().filename());
    for (const std::string& name : names) {
        const UniqueFd found(openat(all_.get(), name.c_str(), open_directory | O_CLOEXEC));
        if (!found || flock(found.get(), LOCK_EX | LOCK_NB) == 0)
            remove_tree(all_.get(), name);
    }
}

} // namespace shale
