// SPDX-License-Identifier: GPL-2.0-or-later
#include "ornaments.hpp"

#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/xattr.hpp"
#include "ondisk/marks.hpp"
#include "snapshot.hpp"
#include "values.hpp"

namespace shale::twins {

namespace {

constexpr const char* names[] = {"a", "b", "c", "d", "e", "f"}; // those of the model's layers

class Decorator {
public:
    Decorator(unsigned seed, const std::string& layer, bool hard_links)
        : dice_(seed), hard_links_(hard_links) {
        collect(layer);
    }

    void run() {
        for (const std::string& path : directories_)
            decorate_directory(path);
        for (const std::string& path : files_)
            decorate_file(path);
        for (const std::string& path : others_)
            add_name(path, 15);
    }

private:
    void collect(const std::string& directory) {
        directories_.push_back(directory);
        for (const std::string& name : names_in(directory)) {
            const std::string path = directory + "/" + name;
            const struct stat st = stat_at(AT_FDCWD, path).value();
            if (S_ISDIR(st.st_mode))
                collect(path);
            else if (S_ISREG(st.st_mode))
                collect_file(path);
            else if (!ondisk::is_whiteout_device(st.st_mode, st.st_rdev))
                others_.push_back(path);
        }
    }

    /// A whiteout stays as it is.
    void collect_file(const std::string& path) {
        const auto mark = ondisk::xattr_name(ondisk::Prefix::trusted, ondisk::Mark::whiteout);
        if (!XattrTarget(AT_FDCWD, path).get(mark))
            files_.push_back(path);
    }

    void decorate_directory(const std::string& path) {
        if (dice_.chance(20))
            set(path, random_acl_name(dice_), random_acl(dice_));
        if (dice_.chance(20))
            set_escaped_mark(path);
        if (dice_.chance(20))
            check(chmod(path.c_str(), random_mode(dice_)), path);
        if (dice_.chance(25))
            add_nodes(path);
        if (dice_.chance(15))
            add_file_with_hole(path + "/" + dice_.one_of(names));
    }

    void decorate_file(const std::string& path) {
        if (dice_.chance(20))
            check(lchown(path.c_str(), random_owner(dice_), random_owner(dice_)), path);
        if (dice_.chance(20))
            check(chmod(path.c_str(), random_mode(dice_)), path);
        if (dice_.chance(15))
            set(path, "system.posix_acl_access", random_acl(dice_));
        if (dice_.chance(15))
            set_escaped_mark(path);
        if (dice_.chance(15))
            set(path, "user.a", "lower");
        for (unsigned percent = 40; add_name(path, percent); percent /= 2) {
        }
    }

    /// Another hard link, somewhere in the layer. Returns whether there is one.
    bool add_name(const std::string& path, unsigned percent) {
        if (!hard_links_ || !dice_.chance(percent))
            return false;
        const std::string name = dice_.one_of(directories_) + "/" + dice_.one_of(names);
        if (stat_at(AT_FDCWD, name))
            return false;
        check(link(path.c_str(), name.c_str()), name);
        return true;
    }

    void add_nodes(const std::string& directory) {
        static constexpr mode_t types[] = {S_IFSOCK, S_IFBLK, S_IFCHR, S_IFIFO};
        for (const mode_t type : types) {
            const std::string path = directory + "/" + dice_.one_of(names);
            if (!stat_at(AT_FDCWD, path))
                check(mknod(path.c_str(), type | random_mode(dice_), makedev(7, 0)), path);
        }
    }

    /// Bytes at both ends of two holes.
    void add_file_with_hole(const std::string& path) {
        if (stat_at(AT_FDCWD, path))
            return;
        const UniqueFd fd = open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0644);
        write_all_at(fd.get(), "middle", 6, 700'000, path);
        check(ftruncate(fd.get(), 1'400'000), path);
    }

    /// As a layer within this layer would have it: seen as a mark by whoever mounts the tree that
    /// is shown. An escaped name of nothing is there as well.
    void set_escaped_mark(const std::string& path) {
        static const Xattr marks[] = {{"trusted.overlay.overlay.opaque", "y"},
                                      {"trusted.overlay.overlay.redirect", "/a"},
                                      {"trusted.overlay.overlay.overlay.opaque", "y"},
                                      {"trusted.overlay.overlay.whiteout", "y"}};
        const Xattr& mark = dice_.one_of(marks);
        set(path, mark.name, mark.value);
    }

    static void set(const std::string& path, const std::string& name, const std::string& value) {
        const int code = XattrTarget(AT_FDCWD, path).set(name, value);
        if (code)
            throw Error::from_errno(path + ": " + name, code);
    }

    static void check(int result, const std::string& path) {
        if (result != 0)
            throw Error::from_errno(path, errno);
    }

    Dice dice_;
    bool hard_links_;
    std::vector<std::string> directories_, files_, others_;
};

} // namespace

void add_ornaments(unsigned seed, const std::string& layer, bool hard_links) {
    Decorator(seed, layer, hard_links).run();
}

} // namespace shale::twins
