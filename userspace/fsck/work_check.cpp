// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsck/work_check.hpp"

#include <cerrno>

#include <fcntl.h>
#include <linux/shale_ondisk.h>
#include <sys/stat.h>

#include "base/at.hpp"
#include "base/names_in.hpp"
#include "fsck/leftover.hpp"

namespace shale::fsck {

namespace {

const std::string features = SHALE_WORK_DIR "/" SHALE_INCOMPAT_DIR;

/// What a volatile mount makes: a directory with one file in it. More than that is somebody else's.
bool is_plain_mark(int incompat) {
    const UniqueFd mark = try_open_beneath(incompat, SHALE_VOLATILE_DIR, O_RDONLY | O_DIRECTORY);
    if (!mark)
        return errno == ENOTDIR;
    const auto names = names_in(mark.get());
    return names.empty() || (names.size() == 1 && names.front() == SHALE_DIRTY_FILE &&
                             !S_ISDIR(stat_at(mark.get(), SHALE_DIRTY_FILE)->st_mode));
}

/// Anything in here keeps mounts away.
void check_features(const std::string& base, int work, Sink& sink) {
    const UniqueFd incompat = open_at(work, SHALE_INCOMPAT_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const auto names = names_in(incompat.get());
    for (const std::string& name : names) {
        const std::string path = features + "/" + name;
        sink.count();
        if (name != SHALE_VOLATILE_DIR) {
            sink.add({&kinds::incompat_unknown, base, path, "marks a feature that is not known here"});
            continue;
        }
        std::vector<Step> steps;
        if (is_plain_mark(incompat.get()))
            steps = removal(base, incompat.get(), name, path);
        if (!steps.empty() && names.size() == 1)
            steps.push_back({Step::Action::remove_directory, base, features, "", ""});
        sink.add({&kinds::volatile_mark, base, path,
                  "was written to by a mount that synced nothing, and that may not have ended well", std::move(steps)});
    }
    if (names.empty())
        sink.add({&kinds::work_leftover, base, features, "marks no feature any more",
                  {{Step::Action::remove_directory, base, features, "", ""}}});
}

} // namespace

void check_work(const Subject& subject, Sink& sink) {
    const std::string& base = *subject.work;
    const auto opened = tree::Layer::open(base);
    const auto st = stat_at(opened->fd(), SHALE_WORK_DIR);
    if (!st)
        return; // it was never mounted
    if (!S_ISDIR(st->st_mode)) {
        sink.add({&kinds::work_foreign, base, SHALE_WORK_DIR, "is no directory"});
        return;
    }
    const UniqueFd work = open_at(opened->fd(), SHALE_WORK_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    for (const std::string& name : names_in(work.get())) {
        const auto inside = stat_at(work.get(), name);
        if (name == SHALE_INCOMPAT_DIR && inside && S_ISDIR(inside->st_mode))
            check_features(base, work.get(), sink);
        else
            judge_leftover(base, work.get(), name, SHALE_WORK_DIR "/" + name, sink);
    }
}

} // namespace shale::fsck
