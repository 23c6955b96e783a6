// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/remove_tree.hpp"

#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale {

namespace {

struct CloseDirectory {
    void operator()(DIR* stream) const { closedir(stream); }
};

/// What is mounted on a name is not part of the tree.
UniqueFd open_same_mount(int dir, const std::string& name) {
    open_how how{};
    how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_NO_XDEV;
    UniqueFd fd(static_cast<int>(syscall(SYS_openat2, dir, name.c_str(), &how, sizeof(how))));
    if (!fd && errno == EXDEV)
        throw Error(name, "something is mounted on it, which is not removed", "unmount it first");
    if (!fd)
        throw Error::from_errno(name, errno);
    return fd;
}

/// False where @p name is a directory.
bool remove_other(int dir, const std::string& name) {
    if (unlinkat(dir, name.c_str(), 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        throw Error::from_errno(name, errno);
    return false;
}

void remove_empty(int dir, const std::string& name) {
    if (unlinkat(dir, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
        throw Error::from_errno(name, errno);
}

void remove_contents(UniqueFd fd, const std::string& name) {
    std::unique_ptr<DIR, CloseDirectory> stream(fdopendir(fd.get()));
    if (!stream)
        throw Error::from_errno(name, errno);
    const int dir = fd.release(); // the stream closes it
    while (const dirent* entry = readdir(stream.get())) {
        const std::string inner = entry->d_name;
        if (inner == "." || inner == ".." || remove_other(dir, inner))
            continue;
        remove_contents(open_same_mount(dir, inner), inner);
        remove_empty(dir, inner);
    }
}

} // namespace

void remove_tree(int dir, const std::string& name) {
    if (remove_other(dir, name))
        return;
    remove_contents(open_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), name);
    remove_empty(dir, name);
}

} // namespace shale
