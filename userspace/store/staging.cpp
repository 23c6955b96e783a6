// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/staging.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/names_in.hpp"
#include "base/remove_tree.hpp"
#include "base/xattr.hpp"
#include "store/use_lock.hpp"

namespace shale {

namespace {

constexpr int open_directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

/// What is made inside must get its owner and mode from us alone.
void drop_inheritance(int fd) {
    if (fchown(fd, geteuid(), getegid()) != 0 || fchmod(fd, 0700) != 0)
        throw Error::from_errno("staging", errno);
    XattrTarget(fd).remove("system.posix_acl_default");
}

} // namespace

Staging::Staging(int root) : all_(open_at(root, "staging", open_directory)) {
    const std::vector<Stale> stale = make_own(root);
    // Which may take long: nobody waits for it, and no other finds them, as they are locked.
    for (const Stale& left : stale) {
        try {
            remove_tree(all_.get(), left.name);
        } catch (const Error&) {
            // It stays for the next to come: what this one is to do does not depend on it.
        }
    }
}

std::vector<Staging::Stale> Staging::make_own(int root) {
    const UseLock lock = UseLock::alone(root, "staging");
    std::vector<Stale> stale = find_stale();
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
    return stale;
}

void Staging::remove() {
    try {
        remove_tree(all_.get(), name_);
    } catch (const Error& error) {
        throw Error("staging/" + name_, std::string("not all in it could be removed: ") + error.what(),
                    "what was to go is gone from the store; 'shale gc' removes the rest when that can be");
    }
}

Staging::~Staging() {
    try {
        remove_tree(all_.get(), name_);
    } catch (const Error&) {
        // The next to come cleans up.
    }
}

std::vector<Staging::Stale> Staging::find_stale() const {
    std::vector<Stale> stale;
    for (const std::string& name : names_in(all_.get())) {
        UniqueFd found(openat(all_.get(), name.c_str(), open_directory | O_CLOEXEC));
        if (!found || flock(found.get(), LOCK_EX | LOCK_NB) == 0)
            stale.push_back({name, std::move(found)});
    }
    return stale;
}

} // namespace shale
