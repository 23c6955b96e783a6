// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsck/leftover.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/at.hpp"
#include "base/names_in.hpp"
#include "ondisk/marks.hpp"

namespace shale::fsck {

namespace {

UniqueFd open_directory(int dir, const std::string& name) {
    return open_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/// Directories on their way out hold whiteouts, and others nothing. Whatever else is in one was put there by others.
bool holds_whiteouts_alone(int dir, const std::string& name) {
    const UniqueFd inside = open_directory(dir, name);
    for (const std::string& below : names_in(inside.get())) {
        const auto st = stat_at(inside.get(), below);
        if (st && !ondisk::is_whiteout_device(st->st_mode, st->st_rdev))
            return false;
    }
    return true;
}

} // namespace

std::vector<Step> removal(const std::string& base, int dir, const std::string& name, const std::string& path) {
    const auto st = stat_at(dir, name);
    if (!st)
        return {};
    if (!S_ISDIR(st->st_mode))
        return {{Step::Action::remove_file, base, path, "", ""}};
    std::vector<Step> steps;
    const UniqueFd inside = open_directory(dir, name);
    for (const std::string& below : names_in(inside.get())) {
        for (Step& step : removal(base, inside.get(), below, path + "/" + below))
            steps.push_back(std::move(step));
    }
    steps.push_back({Step::Action::remove_directory, base, path, "", ""});
    return steps;
}

void judge_leftover(const std::string& base, int dir, const std::string& name, const std::string& path, Sink& sink) {
    const auto st = stat_at(dir, name);
    if (!st)
        return;
    sink.count();
    // Mounts give nothing else there a name of its own.
    const bool is_temporary = name.starts_with('#');
    if (is_temporary && ondisk::is_whiteout_device(st->st_mode, st->st_rdev))
        sink.add({&kinds::whiteout_shared, base, path, "the object that the whiteouts of a mount were links of"});
    else if (is_temporary && (!S_ISDIR(st->st_mode) || holds_whiteouts_alone(dir, name)))
        sink.add({&kinds::work_leftover, base, path, "a mount that came to no end has left it, unfinished",
                  removal(base, dir, name, path)});
    else
        sink.add({&kinds::work_foreign, base, path, "no mount leaves such a thing here"});
}

} // namespace shale::fsck
