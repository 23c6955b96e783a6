// SPDX-License-Identifier: GPL-2.0-or-later
#include "seen.hpp"

#include <filesystem>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale::powercut {

std::optional<unsigned> Seen::file() const {
    for (size_t i = 0; i < pieces.size(); ++i)
        if (pieces[i] == Piece::whole)
            return labels[i].file;
    return {};
}

namespace {

void look_into(const std::string& path, Seen& seen) {
    const UniqueFd fd = open_at(AT_FDCWD, path, O_RDONLY);
    for (;;) {
        Block block{};
        size_t length = 0;
        while (length < block.size()) {
            const size_t got = read_some(fd.get(), block.data() + length, block.size() - length, path);
            if (got == 0)
                break;
            length += got;
        }
        if (length == 0)
            return;
        const std::optional<Label> label = label_of(block);
        seen.pieces.push_back(label ? Seen::Piece::whole : is_zero(block) ? Seen::Piece::zero : Seen::Piece::torn);
        seen.labels.push_back(label.value_or(Label{}));
    }
}

Seen look_at(const std::string& path) {
    const std::optional<struct stat> stat = stat_at(AT_FDCWD, path);
    Seen seen;
    if (!stat)
        throw Error(path, "is listed, but not there");
    seen.is_directory = S_ISDIR(stat->st_mode);
    seen.mode = stat->st_mode & 07777;
    seen.names = static_cast<unsigned>(stat->st_nlink);
    seen.size = static_cast<unsigned long long>(stat->st_size);
    if (!seen.is_directory && !S_ISREG(stat->st_mode))
        throw Error(path, "is neither a file nor a directory");
    if (!seen.is_directory)
        look_into(path, seen);
    return seen;
}

} // namespace

std::map<std::string, Seen> look(const std::string& directory, const std::string& place, const std::string& without) {
    std::map<std::string, Seen> all;
    all[place] = look_at(directory + "/" + place);
    for (std::filesystem::recursive_directory_iterator entry(directory + "/" + place), end; entry != end; ++entry) {
        if (entry->path().filename() == without) {
            entry.disable_recursion_pending();
            continue;
        }
        const std::string path = entry->path().string();
        all[path.substr(directory.size() + 1)] = look_at(path);
    }
    return all;
}

} // namespace shale::powercut
