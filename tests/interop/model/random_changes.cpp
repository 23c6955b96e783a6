// SPDX-License-Identifier: GPL-2.0-or-later
#include "random_changes.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/dice.hpp"
#include "base/error.hpp"

namespace shale {

namespace {

class Changer {
public:
    Changer(unsigned seed, std::string root) : dice_(seed), root_(std::move(root)) {}

    void change() {
        const std::string path = somewhere();
        const std::string other = somewhere();
        switch (dice_.pick(12)) {
        case 0:
            return expect(mkdir(path.c_str(), 0700 + dice_.pick(64)), path);
        case 1:
        case 2:
            return write(path, O_CREAT | O_WRONLY | O_APPEND);
        case 3:
            return write(path, O_WRONLY | O_TRUNC);
        case 4:
            return expect(unlink(path.c_str()), path);
        case 5:
            return expect(rmdir(path.c_str()), path);
        case 6:
            return expect(rename(path.c_str(), other.c_str()), path);
        case 7:
            return expect(link(path.c_str(), other.c_str()), path);
        case 8:
            return expect(symlink("elsewhere", path.c_str()), path);
        case 9:
            return expect(fchmodat(AT_FDCWD, path.c_str(), 0700 + dice_.pick(64), 0), path);
        case 10:
            return expect(lchown(path.c_str(), dice_.pick(5), dice_.pick(5)), path);
        default:
            return expect(lsetxattr(path.c_str(), "trusted.color", "new", dice_.pick(4), 0), path);
        }
    }

private:
    std::string somewhere() {
        std::string path = root_;
        for (unsigned depth = 1 + dice_.pick(3); depth > 0; --depth)
            path += std::string("/") + static_cast<char>('a' + dice_.pick(6));
        return path;
    }

    void write(const std::string& path, int flags) {
        const UniqueFd fd(open(path.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640));
        if (!fd)
            return expect(-1, path);
        struct stat st {};
        if (fstat(fd.get(), &st) == 0 && S_ISREG(st.st_mode))
            write_all_at(fd.get(), "changed\n", 8, 0, path);
    }

    static void expect(int result, const std::string& path) {
        if (result != 0 && (errno == EIO || errno == ESTALE || errno == EREMOTE || errno == EFAULT))
            throw Error::from_errno(path, errno);
    }

    Dice dice_;
    std::string root_;
};

} // namespace

void make_random_changes(unsigned seed, unsigned count, const std::string& directory) {
    Changer changer(seed, directory);
    for (unsigned i = 0; i < count; ++i)
        changer.change();
}

} // namespace shale
