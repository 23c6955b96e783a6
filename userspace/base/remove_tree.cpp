// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/remove_tree.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale {

namespace {

struct CloseDirectory {
    void operator()(DIR* stream) const { closedir(stream); }
};

void remove_contents(int dir, const std::string& name) {
    UniqueFd fd = open_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    std::unique_ptr<DIR, CloseDirectory> stream(fdopendir(fd.get()));
    if (!stream)
        throw Error::from_errno(name, errno);
    fd.release(); // the stream closes it
    while (const dirent* entry = readdir(stream.get())) {
        if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
            remove_tree(dirfd(stream.get()), entry->d_name);
    }
}

} // namespace

void remove_tree(int dir, const std::string& name) {
    if (unlinkat(dir, name.c_str(), 0) == 0 || errno == ENOENT)
        return;
    if (errno != EISDIR && errno != EPERM)
        throw Error::from_errno(name, errno);
    remove_contents(dir, name);
    if (unlinkat(dir, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
        throw Error::from_errno(name, errno);
}

} // namespace shale
