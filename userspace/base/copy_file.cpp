// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/copy_file.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale {

namespace {

void copy_through_memory(int from, int to, off_t begin, off_t end, const std::string& shown) {
    std::vector<char> buffer(256 * 1024);
    if (lseek(from, begin, SEEK_SET) < 0)
        throw Error::from_errno(shown, errno);
    while (begin < end) {
        const size_t want = std::min<size_t>(buffer.size(), static_cast<size_t>(end - begin));
        const size_t got = read_some(from, buffer.data(), want, shown);
        if (got == 0)
            return;
        write_all_at(to, buffer.data(), got, static_cast<uint64_t>(begin), shown);
        begin += static_cast<off_t>(got);
    }
}

void copy_range(int from, int to, off_t begin, off_t end, const std::string& shown) {
    while (begin < end) {
        off_t in = begin, out = begin;
        const ssize_t copied =
            copy_file_range(from, &in, to, &out, static_cast<size_t>(end - begin), 0);
        if (copied <= 0)
            return copy_through_memory(from, to, begin, end, shown);
        begin += copied;
    }
}

} // namespace

bool clone_file(int from, int to) {
    return ioctl(to, FICLONE, from) == 0;
}

void copy_file(int from, int to, uint64_t size, const std::string& shown) {
    if (clone_file(from, to))
        return;
    const off_t end = static_cast<off_t>(size);
    off_t data = 0;
    while (data < end) {
        data = lseek(from, data, SEEK_DATA);
        if (data < 0) // nothing but a hole is left
            break;
        off_t hole = lseek(from, data, SEEK_HOLE);
        hole = hole < 0 ? end : std::min(hole, end);
        copy_range(from, to, data, hole, shown);
        data = hole;
    }
    if (ftruncate(to, end) != 0)
        throw Error::from_errno(shown, errno);
}

} // namespace shale
