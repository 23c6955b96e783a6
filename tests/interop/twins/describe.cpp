// SPDX-License-Identifier: GPL-2.0-or-later
#include "describe.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <vector>

#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace shale::twins {

namespace {

constexpr time_t recent = 1'500'000'000;

/// FNV-1a. Trees are read whole again and again, and nobody forges them.
class Checksum {
public:
    void update(const char* data, size_t size) {
        for (size_t i = 0; i < size; ++i)
            sum_ = (sum_ ^ static_cast<unsigned char>(data[i])) * 1099511628211U;
    }
    std::string hex() const {
        char text[17];
        std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(sum_));
        return text;
    }

private:
    uint64_t sum_ = 14695981039346656037U;
};

const char* kind(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG: return "file";
    case S_IFDIR: return "dir";
    case S_IFLNK: return "link";
    case S_IFIFO: return "fifo";
    case S_IFCHR: return "char";
    case S_IFBLK: return "block";
    case S_IFSOCK: return "socket";
    default: return "unknown";
    }
}

std::string describe_time(const timespec& time, Times times) {
    if (times == Times::recent_ones_alike && time.tv_sec >= recent)
        return "recent";
    char text[40];
    std::snprintf(text, sizeof text, "%lld.%09ld", static_cast<long long>(time.tv_sec),
                  time.tv_nsec);
    return text;
}

bool is_readable(const std::string& bytes) {
    return bytes.size() <= 24 &&
           std::all_of(bytes.begin(), bytes.end(), [](char c) { return c > ' ' && c <= '~'; });
}

using ListCall = std::function<ssize_t(char*, size_t)>;
using GetCall = std::function<ssize_t(const char*, char*, size_t)>;

std::string describe_xattrs_by(const ListCall& list, const GetCall& get) {
    char buffer[64 * 1024];
    const ssize_t size = list(buffer, sizeof buffer);
    if (size < 0)
        return error_name(errno);
    std::vector<std::string> names;
    for (const char* name = buffer; name < buffer + size; name += std::strlen(name) + 1)
        names.emplace_back(name);
    std::sort(names.begin(), names.end());

    std::string text;
    for (const std::string& name : names) {
        const ssize_t length = get(name.c_str(), buffer, sizeof buffer);
        text += " " + name + "=";
        text += length < 0 ? error_name(errno)
                           : describe_bytes(std::string(buffer, static_cast<size_t>(length)));
    }
    return text;
}

} // namespace

std::string describe(const struct stat& st, Times times) {
    char text[80];
    std::snprintf(text, sizeof text, "%s %04o %u:%u", kind(st.st_mode), st.st_mode & 07777,
                  st.st_uid, st.st_gid);
    std::string words = text;
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
        words +=
            " dev=" + std::to_string(major(st.st_rdev)) + ":" + std::to_string(minor(st.st_rdev));
    if (!S_ISDIR(st.st_mode))
        words += " size=" + std::to_string(st.st_size);
    words += " nlink=" + std::to_string(st.st_nlink);
    return words + " mtime=" + describe_time(st.st_mtim, times);
}

bool is_deleted(int fd) {
    char path[4096];
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t size = readlink(link.c_str(), path, sizeof path);
    return size > 0 && std::string(path, static_cast<size_t>(size)).ends_with(" (deleted)");
}

std::string error_name(int code) {
    const char* name = strerrorname_np(code);
    return name ? name : "error " + std::to_string(code);
}

bool is_error(const std::string& answer) {
    return answer.starts_with('E');
}

std::string answer(long result) {
    return result < 0 ? error_name(errno) : "ok";
}

std::string describe_bytes(const std::string& bytes) {
    if (is_readable(bytes))
        return "'" + bytes + "'";
    Checksum sum;
    sum.update(bytes.data(), bytes.size());
    return std::to_string(bytes.size()) + " bytes " + sum.hex();
}

std::string describe_content(int fd) {
    static char buffer[64 * 1024];
    Checksum sum;
    off_t offset = 0;
    ssize_t size;
    while ((size = pread(fd, buffer, sizeof buffer, offset)) > 0) {
        sum.update(buffer, static_cast<size_t>(size));
        offset += size;
    }
    return size < 0 ? error_name(errno) : std::to_string(offset) + " bytes " + sum.hex();
}

std::string describe_xattrs(const std::string& path) {
    return describe_xattrs_by(
        [&](char* buffer, size_t size) { return llistxattr(path.c_str(), buffer, size); },
        [&](const char* name, char* buffer, size_t size) {
            return lgetxattr(path.c_str(), name, buffer, size);
        });
}

std::string describe_xattrs(int fd) {
    return describe_xattrs_by(
        [&](char* buffer, size_t size) { return flistxattr(fd, buffer, size); },
        [&](const char* name, char* buffer, size_t size) {
            return fgetxattr(fd, name, buffer, size);
        });
}

} // namespace shale::twins
