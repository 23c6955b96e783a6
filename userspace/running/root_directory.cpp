// SPDX-License-Identifier: LGPL-2.1-or-later
#include "running/root_directory.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "running/check.hpp"

namespace shale::running {

namespace {

/// What is there already stays, but has to be a directory: a mount is not to go where a link points.
void need_directory(const std::string& path) {
    if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
        throw Error::from_errno(path, errno);
    const auto st = stat_at(AT_FDCWD, path);
    if (!st || !S_ISDIR(st->st_mode))
        throw Error("the image's " + path, "is no directory");
}

void mount_on(const char* type, const std::string& path, unsigned long flags, const char* options) {
    need_directory(path);
    check(mount(type, path.c_str(), type, flags, options), path);
}

void make_devices() {
    const struct {
        const char* path;
        unsigned minor;
    } memory[] = {{"/dev/null", 3}, {"/dev/zero", 5}, {"/dev/full", 7}, {"/dev/random", 8}, {"/dev/urandom", 9}};
    for (const auto& device : memory)
        check(mknod(device.path, S_IFCHR | 0666, makedev(1, device.minor)), device.path);
    check(mknod("/dev/tty", S_IFCHR | 0666, makedev(5, 0)), "/dev/tty");
    const struct {
        const char* path;
        const char* target;
    } links[] = {{"/dev/fd", "/proc/self/fd"},
                 {"/dev/stdin", "/proc/self/fd/0"},
                 {"/dev/stdout", "/proc/self/fd/1"},
                 {"/dev/stderr", "/proc/self/fd/2"},
                 {"/dev/ptmx", "pts/ptmx"}};
    for (const auto& link : links)
        check(symlink(link.target, link.path), link.path);
}

} // namespace

void change_root(const std::string& path) {
    check(chdir(path.c_str()), path);
    // The old root comes to lie on the new one, and is taken off from there.
    check(static_cast<int>(syscall(SYS_pivot_root, ".", ".")), path + ": as the root");
    check(umount2(".", MNT_DETACH), "the former root");
    check(chdir("/"), "/");
}

void furnish_root() {
    const mode_t before = umask(0);
    mount_on("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
    mount_on("tmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k");
    make_devices();
    mount_on("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
    mount_on("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m");
    mount_on("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, nullptr);
    umask(before);
}

} // namespace shale::running
