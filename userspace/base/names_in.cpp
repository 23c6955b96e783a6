// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/names_in.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

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

std::vector<ListedName> listing_of(UniqueFd dir, const std::string& shown) {
    const std::unique_ptr<DIR, CloseDirectory> stream(fdopendir(dir.get()));
    if (!stream)
        throw Error::from_errno(shown, errno);
    dir.release();

    std::vector<ListedName> names;
    for (;;) {
        errno = 0;
        const dirent* entry = readdir(stream.get());
        if (!entry)
            break;
        if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
            names.push_back({entry->d_name, entry->d_ino, entry->d_type});
    }
    if (errno != 0)
        throw Error::from_errno(shown, errno);
    return names;
}

std::vector<std::string> names_in(int dir) {
    std::vector<std::string> names;
    for (ListedName& listed : listing_of(open_at(dir, ".", O_RDONLY | O_DIRECTORY)))
        names.push_back(std::move(listed.name));
    return names;
}

} // namespace shale
