// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/at.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.hpp"

namespace shale {

UniqueFd open_at(int dir, const std::string& name, int flags, mode_t mode) {
    UniqueFd fd(openat(dir, name.c_str(), flags | O_CLOEXEC, mode));
    if (!fd)
        throw Error::from_errno(name, errno);
    return fd;
}

UniqueFd try_open_beneath(int dir, const std::string& path, int flags) {
    struct open_how how = {};
    how.flags = static_cast<uint64_t>(flags) | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const char* name = path.empty() ? "." : path.c_str();
    return UniqueFd(static_cast<int>(syscall(SYS_openat2, dir, name, &how, sizeof(how))));
}

std::optional<struct stat> stat_at(int dir, const std::string& name) {
    struct stat st;
    if (fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0)
        return st;
    if (errno == ENOENT)
        return std::nullopt;
    throw Error::from_errno(name, errno);
}

struct stat stat_of(int fd, const std::string& shown) {
    struct stat st;
    if (fstat(fd, &st) != 0)
        throw Error::from_errno(shown, errno);
    return st;
}

std::string read_link_at(int dir, const std::string& name) {
    std::string target(PATH_MAX, '\0');
    const ssize_t size = readlinkat(dir, name.c_str(), target.data(), target.size());
    if (size < 0)
        throw Error::from_errno(name, errno);
    target.resize(static_cast<size_t>(size));
    return target;
}

void make_directory_at(int dir, const std::string& name, mode_t mode) {
    if (mkdirat(dir, name.c_str(), mode) != 0)
        throw Error::from_errno(name, errno);
}

void rename_at(int from_dir, const std::string& from, int to_dir, const std::string& to) {
    if (renameat(from_dir, from.c_str(), to_dir, to.c_str()) != 0)
        throw Error::from_errno(to, errno);
}

void link_at(int from_dir, const std::string& from, int to_dir, const std::string& to) {
    if (linkat(from_dir, from.c_str(), to_dir, to.c_str(), 0) != 0)
        throw Error::from_errno(to, errno);
}

bool rename_new_at(int from_dir, const std::string& from, int to_dir, const std::string& to) {
    if (renameat2(from_dir, from.c_str(), to_dir, to.c_str(), RENAME_NOREPLACE) == 0)
        return true;
    if (errno == EEXIST || errno == ENOTEMPTY)
        return false;
    throw Error::from_errno(to, errno);
}

void make_directories(const std::string& path, mode_t mode) {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        const bool last = slash == std::string::npos;
        const std::string part = path.substr(0, slash);
        if (mkdir(part.c_str(), last ? mode : 0755) != 0 && errno != EEXIST)
            throw Error::from_errno(part, errno);
        if (last)
            return;
    }
}

void write_all_at(int fd, const void* data, size_t size, uint64_t offset,
                  const std::string& shown) {
    const char* next = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t written = pwrite(fd, next, size, static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            throw Error::from_errno(shown, errno);
        next += written;
        size -= static_cast<size_t>(written);
        offset += static_cast<uint64_t>(written);
    }
}

size_t read_some(int fd, void* data, size_t size, const std::string& shown) {
    for (;;) {
        const ssize_t got = read(fd, data, size);
        if (got >= 0)
            return static_cast<size_t>(got);
        if (errno != EINTR)
            throw Error::from_errno(shown, errno);
    }
}

std::string read_all(int fd, const std::string& shown) {
    std::string text;
    std::array<char, 64 * 1024> buffer;
    while (const size_t size = read_some(fd, buffer.data(), buffer.size(), shown))
        text.append(buffer.data(), size);
    return text;
}

} // namespace shale
