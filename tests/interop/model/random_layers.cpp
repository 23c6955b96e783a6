// SPDX-License-Identifier: GPL-2.0-or-later
#include "random_layers.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/dice.hpp"
#include "base/error.hpp"
#include "ondisk/marks.hpp"

namespace shale {

namespace {

constexpr const char* names[] = {"a", "b", "c", "d", "e", "f"};
constexpr unsigned deepest = 3;

/// Makes one layer.
class Maker {
public:
    Maker(unsigned seed, std::string root, bool lowest, Features features)
        : dice_(seed), root_(std::move(root)), lowest_(lowest), features_(features) {}

    void run() {
        make_directories(root_, 0755);
        fill(root_, 0, false);
        if (has_xattr_whiteouts_)
            // Or overlayfs does not look for them when it lists a directory.
            set(root_, "trusted.overlay.opaque", "x");
    }

private:
    static void check(int result, const std::string& path) {
        if (result != 0)
            throw Error::from_errno(path, errno);
    }

    static void set(const std::string& path, const std::string& name, const std::string& value) {
        check(lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0), path);
    }

    void fill(const std::string& directory, unsigned depth, bool xattr_whiteouts) {
        for (const char* name : names) {
            const std::string path = directory + "/" + name;
            if (stat_at(AT_FDCWD, path))
                continue; // where a redirect came from
            const unsigned kind = dice_.pick(100);
            if (kind < 35) {
                continue;
            } else if (kind < 60) {
                if (depth < deepest)
                    subdirectory(directory, name, depth);
            } else if (kind < 75) {
                file(path);
            } else if (kind < 80) {
                check(symlink(("to-" + std::to_string(dice_.pick(9))).c_str(), path.c_str()), path);
            } else if (kind < 95) {
                if (!features_.whiteouts)
                    continue;
                hide(path, xattr_whiteouts);
            } else {
                const mode_t type = dice_.chance(50) ? S_IFIFO : S_IFCHR;
                check(mknod(path.c_str(), type | 0600, makedev(1, 3 + dice_.pick(4))), path);
            }
            decorate(path);
        }
    }

    void subdirectory(const std::string& directory, const std::string& name, unsigned depth) {
        const std::string path = directory + "/" + name;
        check(mkdir(path.c_str(), 0700 + dice_.pick(64)), path);
        bool xattr_whiteouts = false;
        if (dice_.chance(12)) {
            set(path, "trusted.overlay.opaque", "y");
        } else if (features_.xattr_whiteouts && !lowest_ && dice_.chance(10)) {
            set(path, "trusted.overlay.opaque", "x");
            xattr_whiteouts = has_xattr_whiteouts_ = true;
        } else if (features_.redirects && dice_.chance(25)) {
            redirect(directory, path);
        }
        fill(path, depth + 1, xattr_whiteouts);
        const timespec times[2] = {{1000, 0}, {static_cast<time_t>(dice_.pick(1000000)), 5}};
        check(utimensat(AT_FDCWD, path.c_str(), times, 0), path);
    }

    /// As a rename would leave it: where the directory came from stands a whiteout.
    void redirect(const std::string& directory, const std::string& path) {
        const std::string from = dice_.one_of(names);
        const bool absolute = dice_.chance(30);
        const std::string old = (absolute ? root_ : directory) + "/" + from;
        if (mknod(old.c_str(), S_IFCHR, makedev(0, 0)) != 0)
            return; // there is something already
        set(path, "trusted.overlay.redirect", absolute ? "/" + from : from);
    }

    void file(const std::string& path) {
        std::string content(dice_.pick(3) * dice_.pick(5000), '\0');
        for (char& byte : content)
            byte = static_cast<char>('a' + dice_.pick(26));
        const UniqueFd fd = open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600 + dice_.pick(64));
        write_all_at(fd.get(), content.data(), content.size(), 0, path);
        const timespec times[2] = {{1000, 0}, {static_cast<time_t>(dice_.pick(1000000)), 7}};
        check(futimens(fd.get(), times), path);
    }

    void hide(const std::string& path, bool xattr_whiteouts) {
        if (!xattr_whiteouts) {
            check(mknod(path.c_str(), S_IFCHR, makedev(0, 0)), path);
            return;
        }
        open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        set(path, "trusted.overlay.whiteout", "y");
    }

    void decorate(const std::string& path) {
        const auto st = stat_at(AT_FDCWD, path);
        if (!st || ondisk::is_whiteout_device(st->st_mode, st->st_rdev))
            return;
        if (dice_.chance(20))
            check(lchown(path.c_str(), dice_.pick(5), dice_.pick(5)), path);
        if (dice_.chance(15))
            set(path, "trusted.color", std::to_string(dice_.pick(100)));
        if (dice_.chance(5))
            set(path, "trusted.overlay.overlay.opaque", "y");
    }

    Dice dice_;
    std::string root_;
    bool lowest_;
    Features features_;
    bool has_xattr_whiteouts_ = false;
};

} // namespace

void make_random_layers(unsigned seed, unsigned count, const std::string& directory,
                        Features features) {
    for (unsigned layer = 1; layer <= count; ++layer)
        Maker(seed * 1000 + layer, directory + "/" + std::to_string(layer), layer == count,
              features)
            .run();
}

} // namespace shale
