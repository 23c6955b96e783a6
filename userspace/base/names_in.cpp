// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/names_in.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale {

namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const { closedir(directory); }
};

} // namespace

std::vector<std::string> names_in(int dir) {
    UniqueFd fd = open_at(dir, ".", O_RDONLY | O_DIRECTORY);
    const std::unique_ptr<DIR, CloseDirectory> stream(fdopendir(fd.get()));
    if (!stream)
        throw Error::from_errno("directory", errno);
    fd.release();

    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const dirent* entry = readdir(stream.get());
        if (!entry)
            break;
        if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
            names.emplace_back(entry->d_name);
    }
    if (errno != 0)
        throw Error::from_errno("directory", errno);
    return names;
}

} // namespace shale
