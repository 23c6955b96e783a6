// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/calls.hpp"

#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace shale::exercise {

namespace {

constexpr mode_t any_mode = 0666;

/// Of what a system call returned.
int error_of(long result) {
    return result < 0 ? errno : 0;
}

/// There are no calls for attributes and truncate(2) relative to a directory.
std::string full_path(int root, const std::string& path) {
    return "/proc/self/fd/" + std::to_string(root) + "/" + path;
}

UniqueFd open_file(int root, const std::string& path, int flags) {
    return UniqueFd(openat(root, path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, any_mode));
}

int write_all(int fd, const std::string& bytes) {
    for (size_t done = 0; done < bytes.size();) {
        const ssize_t size = ::write(fd, bytes.data() + done, bytes.size() - done);
        if (size < 0)
            return errno;
        done += static_cast<size_t>(size);
    }
    return 0;
}

int open_and_write(int root, const Operation& operation, int flags) {
    const UniqueFd fd = open_file(root, operation.path, O_WRONLY | flags);
    if (!fd || (operation.offset > 0 && lseek(fd.get(), static_cast<off_t>(operation.offset), SEEK_SET) < 0))
        return errno;
    return write_all(fd.get(), operation.value);
}

int make_unnamed(int root, const Operation& operation) {
    const UniqueFd fd = open_file(root, parent_of(operation.path), O_TMPFILE | O_RDWR);
    if (!fd)
        return errno;
    if (const int error = write_all(fd.get(), operation.value))
        return error;
    const std::string link = "/proc/self/fd/" + std::to_string(fd.get());
    return error_of(linkat(AT_FDCWD, link.c_str(), root, operation.path.c_str(), AT_SYMLINK_FOLLOW));
}

int allocate(int root, const Operation& operation, int mode) {
    const UniqueFd fd = open_file(root, operation.path, O_WRONLY);
    if (!fd)
        return errno;
    return error_of(
        fallocate(fd.get(), mode, static_cast<off_t>(operation.offset), static_cast<off_t>(operation.size)));
}

/// EINVAL where nothing is to be mapped, rather than SIGBUS.
int map_and_write(int root, const Operation& operation) {
    const UniqueFd fd = open_file(root, operation.path, O_RDWR);
    struct stat st {};
    if (!fd || fstat(fd.get(), &st) < 0)
        return errno;
    if (S_ISREG(st.st_mode) && operation.offset >= static_cast<uint64_t>(st.st_size))
        return EINVAL;
    const size_t size = operation.offset + 1;
    void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED)
        return errno;
    static_cast<volatile char*>(memory)[operation.offset] = operation.value.front();
    const int error = error_of(msync(memory, size, MS_SYNC));
    munmap(memory, size);
    return error;
}

int read_all(int root, const Operation& operation) {
    const UniqueFd fd = open_file(root, operation.path, O_RDONLY);
    if (!fd)
        return errno;
    char buffer[16384];
    ssize_t size = 0;
    do {
        size = ::read(fd.get(), buffer, sizeof buffer);
    } while (size > 0);
    return error_of(size);
}

int list(int root, const Operation& operation) {
    const UniqueFd fd = open_file(root, operation.path, O_RDONLY | O_DIRECTORY);
    if (!fd)
        return errno;
    alignas(dirent64) char entries[16384];
    ssize_t size = 0;
    do {
        size = getdents64(fd.get(), entries, sizeof entries);
    } while (size > 0);
    return error_of(size);
}

int set_times(int root, const Operation& operation) {
    const timespec times[2] = {operation.time, operation.time};
    return error_of(utimensat(root, operation.path.c_str(), times, AT_SYMLINK_NOFOLLOW));
}

int set_xattr(int root, const Operation& operation) {
    return error_of(lsetxattr(full_path(root, operation.path).c_str(), operation.name.c_str(), operation.value.data(),
                              operation.value.size(), static_cast<int>(operation.flags)));
}

int look(int root, const Operation& operation) {
    struct stat st {};
    return error_of(fstatat(root, operation.path.c_str(), &st, AT_SYMLINK_NOFOLLOW));
}

int answer(int root, const Operation& operation) {
    const char* const path = operation.path.c_str();
    const char* const other = operation.other.c_str();
    switch (operation.kind) {
    case Kind::create: return open_and_write(root, operation, O_CREAT | O_EXCL);
    case Kind::unnamed: return make_unnamed(root, operation);
    case Kind::make_directory: return error_of(mkdirat(root, path, 0777));
    case Kind::make_symlink: return error_of(symlinkat(other, root, path));
    case Kind::make_fifo: return error_of(mknodat(root, path, S_IFIFO | any_mode, 0));
    case Kind::make_device: return error_of(mknodat(root, path, S_IFCHR | any_mode, operation.device));
    case Kind::link: return error_of(linkat(root, path, root, other, 0));
    case Kind::unlink: return error_of(unlinkat(root, path, 0));
    case Kind::rmdir: return error_of(unlinkat(root, path, AT_REMOVEDIR));
    case Kind::rename: return error_of(renameat2(root, path, root, other, operation.flags));
    case Kind::write: return open_and_write(root, operation, 0);
    case Kind::append: return open_and_write(root, operation, O_APPEND);
    case Kind::replace: return open_and_write(root, operation, O_TRUNC);
    case Kind::truncate:
        return error_of(::truncate(full_path(root, operation.path).c_str(), static_cast<off_t>(operation.size)));
    case Kind::allocate: return allocate(root, operation, 0);
    case Kind::punch: return allocate(root, operation, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
    case Kind::map: return map_and_write(root, operation);
    case Kind::chmod: return error_of(fchmodat(root, path, operation.mode, 0));
    case Kind::chown: return error_of(fchownat(root, path, operation.uid, operation.gid, AT_SYMLINK_NOFOLLOW));
    case Kind::utimens: return set_times(root, operation);
    case Kind::set_xattr: return set_xattr(root, operation);
    case Kind::remove_xattr:
        return error_of(lremovexattr(full_path(root, operation.path).c_str(), operation.name.c_str()));
    case Kind::read: return read_all(root, operation);
    case Kind::list: return list(root, operation);
    case Kind::stat: return look(root, operation);
    case Kind::remount: return 0;
    }
    return 0;
}

bool is_of_the_machine(int error) {
    return error == ENOSPC || error == EDQUOT || error == ENOMEM || error == EMFILE || error == ENFILE;
}

} // namespace

int call(int root, const Operation& operation) {
    const int error = answer(root, operation);
    if (is_of_the_machine(error))
        throw Error::from_errno(describe(operation), error, "exercise where there is more room");
    return error;
}

} // namespace shale::exercise
