// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/measure.hpp"

#include <cerrno>
#include <set>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/names_in.hpp"
#include "ondisk/marks.hpp"
#include "tree/union.hpp"

namespace shale::tree {

namespace {

class Measurement {
public:
    explicit Measurement(const std::function<void(const Size&)>& so_far) : so_far_(so_far) {}

    Size run(const Layer& layer) && {
        walk(layer.fd());
        return size_;
    }

private:
    void walk(int directory) {
        size_.directories++;
        for (const std::string& name : names_in(directory)) {
            struct stat st {};
            if (fstatat(directory, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
                if (errno == ENOENT)
                    continue;
                throw Error::from_errno(name, errno);
            }
            if (S_ISDIR(st.st_mode))
                enter(directory, name, st);
            else
                count(st);
        }
        so_far_(size_);
    }

    void enter(int parent, const std::string& name, const struct stat& st) {
        const UniqueFd directory(
            openat(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory) {
            if (errno == ENOENT || errno == ENOTDIR)
                return;
            throw Error::from_errno(name, errno);
        }
        size_.bytes += 512 * static_cast<uint64_t>(st.st_blocks);
        walk(directory.get());
    }

    void count(const struct stat& st) {
        if (ondisk::is_whiteout_device(st.st_mode, st.st_rdev)) {
            size_.whiteouts++;
            return;
        }
        if (st.st_nlink > 1 && !linked_.emplace(st.st_dev, st.st_ino).second)
            return;
        size_.files++;
        size_.bytes += 512 * static_cast<uint64_t>(st.st_blocks);
    }

    const std::function<void(const Size&)>& so_far_;
    std::set<std::pair<dev_t, ino_t>> linked_;
    Size size_;
};

} // namespace

Size measure(const Layer& layer, const std::function<void(const Size& so_far)>& so_far) {
    return Measurement(so_far).run(layer);
}

} // namespace shale::tree
