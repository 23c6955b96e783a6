// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/unchanged.hpp"

#include <fcntl.h>

#include "base/at.hpp"
#include "base/names_in.hpp"

namespace shale::exercise {

namespace {

std::string text_of(const struct stat& st) {
    std::string text;
    for (const uint64_t number : {uint64_t{st.st_ino}, uint64_t{st.st_mode}, uint64_t{st.st_nlink}, uint64_t{st.st_uid},
                                  uint64_t{st.st_gid}, uint64_t{st.st_rdev}, static_cast<uint64_t>(st.st_size)})
        text += std::to_string(number) + " ";
    for (const timespec& time : {st.st_mtim, st.st_ctim})
        text += std::to_string(time.tv_sec) + "." + std::to_string(time.tv_nsec) + " ";
    return text;
}

} // namespace

void add_statuses(const std::string& directory, Statuses& statuses) {
    const UniqueFd fd = open_at(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
    statuses[directory] = text_of(stat_of(fd.get(), directory));
    for (const std::string& name : names_in(fd.get())) {
        const std::string path = directory + "/" + name;
        const auto st = stat_at(AT_FDCWD, path);
        if (st && S_ISDIR(st->st_mode))
            add_statuses(path, statuses);
        else if (st)
            statuses[path] = text_of(*st);
    }
}

std::optional<Difference> compare(const Statuses& before, const Statuses& after) {
    for (const auto& [path, status] : before) {
        const auto found = after.find(path);
        const std::string seen = found == after.end() ? "nothing" : found->second;
        if (seen != status)
            return Difference{path, "lower layer", "unchanged: " + status, seen};
    }
    for (const auto& [path, status] : after) {
        if (!before.contains(path))
            return Difference{path, "lower layer", "nothing of that name", status};
    }
    return std::nullopt;
}

} // namespace shale::exercise
