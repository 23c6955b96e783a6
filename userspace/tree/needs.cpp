// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/needs.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/at.hpp"
#include "base/names_in.hpp"
#include "base/xattr.hpp"
#include "ondisk/marks.hpp"
#include "tree/layer.hpp"
#include "tree/union.hpp"

namespace shale::tree {

namespace {

bool has_mark(const XattrTarget& object, ondisk::Mark mark) {
    return object.get(ondisk::xattr_name(ondisk::Prefix::trusted, mark)).has_value();
}

void note(Needs& needs, int dir, const std::string& name, const struct stat& st) {
    const XattrTarget object(dir, name);
    needs.redirects |= has_mark(object, ondisk::Mark::redirect);
    if (S_ISREG(st.st_mode))
        needs.metacopies |= has_mark(object, ondisk::Mark::metacopy);
}

void look_below(Needs& needs, int dir) {
    for (const std::string& name : names_in(dir)) {
        if (needs.all())
            return;
        const auto st = stat_at(dir, name);
        if (!st || (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode)))
            continue;
        note(needs, dir, name, *st);
        if (!S_ISDIR(st->st_mode))
            continue;
        if (const UniqueFd below = try_open_beneath(dir, name, O_RDONLY | O_DIRECTORY); below)
            look_below(needs, below.get());
    }
}

} // namespace

std::vector<std::string> Needs::options() const {
    std::vector<std::string> options;
    if (redirects)
        options.emplace_back("redirect_dir=on");
    if (metacopies)
        options.emplace_back("metacopy=on");
    return options;
}

Needs needs_of_upper(const std::string& path) {
    const auto upper = Layer::open(path);
    Needs needs;
    look_below(needs, upper->fd());
    return needs;
}

} // namespace shale::tree
