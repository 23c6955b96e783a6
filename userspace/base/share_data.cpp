// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/share_data.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/at.hpp"

namespace shale {

namespace {

/// Of extents that do not tell where they lie.
constexpr uint32_t vague = FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_DATA_INLINE |
                           FIEMAP_EXTENT_DATA_TAIL;

/// Where a file lies; empty where that is not to be told in few words, or not at all.
std::vector<fiemap_extent> extents_of(int fd) {
    constexpr uint32_t most = 512;
    std::vector<char> buffer(sizeof(fiemap) + most * sizeof(fiemap_extent));
    auto* const map = reinterpret_cast<fiemap*>(buffer.data());
    map->fm_length = FIEMAP_MAX_OFFSET;
    map->fm_extent_count = most;
    if (ioctl(fd, FS_IOC_FIEMAP, map) != 0 || map->fm_mapped_extents == 0)
        return {};
    std::vector<fiemap_extent> extents(map->fm_mapped_extents);
    std::memcpy(extents.data(), buffer.data() + sizeof(fiemap), extents.size() * sizeof(fiemap_extent));
    const bool is_clear = std::none_of(extents.begin(), extents.end(), [](const auto& extent) {
        return (extent.fe_flags & vague) != 0;
    });
    if (!is_clear || (extents.back().fe_flags & FIEMAP_EXTENT_LAST) == 0)
        return {};
    return extents;
}

} // namespace

bool shares_data(int one, int other) {
    const auto extents = extents_of(one);
    const auto others = extents.empty() ? extents : extents_of(other);
    return !extents.empty() &&
           std::equal(extents.begin(), extents.end(), others.begin(), others.end(), [](const auto& a, const auto& b) {
               return a.fe_logical == b.fe_logical && a.fe_physical == b.fe_physical && a.fe_length == b.fe_length;
           });
}

namespace {

Sharing share_range(int from, int to, uint64_t offset, uint64_t end) {
    constexpr uint64_t most = 16 * 1024 * 1024; // that any file system takes at once
    alignas(file_dedupe_range) char buffer[sizeof(file_dedupe_range) + sizeof(file_dedupe_range_info)];
    while (offset < end) {
        std::memset(buffer, 0, sizeof(buffer));
        auto* const range = reinterpret_cast<file_dedupe_range*>(buffer);
        range->src_offset = offset;
        range->src_length = std::min(most, end - offset);
        range->dest_count = 1;
        range->info[0].dest_fd = to;
        range->info[0].dest_offset = offset;
        if (ioctl(from, FIDEDUPERANGE, range) != 0)
            return Sharing::refused;
        const file_dedupe_range_info& done = range->info[0];
        if (done.status == FILE_DEDUPE_RANGE_DIFFERS)
            return Sharing::differs;
        if (done.status < 0 || done.bytes_deduped == 0) {
            errno = done.status < 0 ? -done.status : EOPNOTSUPP;
            return Sharing::refused;
        }
        offset += done.bytes_deduped;
    }
    return Sharing::done;
}

} // namespace

Sharing share_data(int from, int to, uint64_t size) {
    const auto end = static_cast<off_t>(size);
    for (off_t data = 0; data < end;) {
        data = lseek(from, data, SEEK_DATA);
        if (data < 0) // nothing but a hole is left
            break;
        off_t hole = lseek(from, data, SEEK_HOLE);
        hole = hole < 0 ? end : std::min(hole, end);
        const Sharing sharing = share_range(from, to, static_cast<uint64_t>(data), static_cast<uint64_t>(hole));
        if (sharing != Sharing::done)
            return sharing;
        data = hole;
    }
    return Sharing::done;
}

bool can_share_data(int directory) {
    const std::string content(128 * 1024, 'x');
    const std::string names[] = {"share-1", "share-2"};
    for (const std::string& name : names) {
        const UniqueFd file = open_at(directory, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
        write_all_at(file.get(), content.data(), content.size(), 0, name);
        fsync(file.get());
    }
    const UniqueFd one = open_at(directory, names[0], O_RDONLY);
    const UniqueFd other = open_at(directory, names[1], O_RDWR);
    const Sharing sharing = share_data(one.get(), other.get(), content.size());
    for (const std::string& name : names)
        unlinkat(directory, name.c_str(), 0);
    return sharing == Sharing::done;
}

} // namespace shale
