// SPDX-License-Identifier: GPL-2.0-or-later
#include "sample_files.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale::bench {

void make_file(const std::string& path, size_t size) {
    const std::string piece(std::min<size_t>(size, 1 << 20), 'x');
    const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    for (size_t at = 0; at < size; at += piece.size())
        write_all_at(fd.get(), piece.data(), std::min(piece.size(), size - at), at, path);
    require(fsync(fd.get()) == 0, "fsync");
}

void make_sparse_file(const std::string& path) {
    constexpr off_t size = 10LL << 30;
    constexpr int pieces = 16;
    const std::string piece(64 << 10, 'x');
    const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    require(ftruncate(fd.get(), size) == 0, "ftruncate");
    for (int i = 0; i < pieces; ++i)
        write_all_at(fd.get(), piece.data(), piece.size(), static_cast<uint64_t>(size / pieces * i),
                     path);
    require(fsync(fd.get()) == 0, "fsync");
}

void make_files(const std::string& dir, unsigned count, size_t size) {
    for (unsigned i = 0; i < count; ++i)
        make_file(dir + "/" + std::to_string(i), size);
}

void stat_file(const std::string& path) {
    struct stat st {};
    require(stat(path.c_str(), &st) == 0, "stat");
}

UniqueFd open_file(const std::string& path, int flags) {
    return open_at(AT_FDCWD, path, flags, 0644);
}

void require(bool expected, const char* what) {
    if (!expected)
        throw Error::from_errno(what, errno);
}

} // namespace shale::bench
