// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/origin.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <set>

#include <fcntl.h>
#include <linux/shale_ondisk.h>

#include "base/at.hpp"

namespace shale::tree {

namespace {

/// Of a file system that has no uuid: mounts do not follow such a record, or not always.
bool is_null(const __u8 (&uuid)[16]) {
    return std::all_of(std::begin(uuid), std::end(uuid), [](__u8 byte) { return byte == 0; });
}

} // namespace

UniqueFd try_open_origin(int mount, std::string_view record) {
    const auto* origin = reinterpret_cast<const struct shale_origin*>(record.data());
    const std::string_view bytes = record.substr(sizeof(*origin));
    alignas(file_handle) char buffer[sizeof(file_handle) + MAX_HANDLE_SZ];
    if (bytes.size() > MAX_HANDLE_SZ) {
        errno = EOVERFLOW;
        return UniqueFd();
    }
    auto* handle = reinterpret_cast<file_handle*>(buffer);
    handle->handle_bytes = static_cast<unsigned>(bytes.size());
    handle->handle_type = origin->type;
    std::memcpy(buffer + sizeof(file_handle), bytes.data(), bytes.size());
    return UniqueFd(open_by_handle_at(mount, handle, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

Origins::Origins(const Union::Layers& layers, std::size_t first_lower) {
    std::set<dev_t> seen;
    for (std::size_t layer = first_lower; layer < layers.size(); ++layer) {
        UniqueFd root = open_at(layers[layer]->fd(), ".", O_RDONLY | O_DIRECTORY);
        if (seen.insert(stat_of(root.get(), layers[layer]->path()).st_dev).second)
            mounts_.push_back(std::move(root));
    }
}

Origins::Lead Origins::lead(std::string_view record, Of whose) const {
    if (!shale_origin_valid(record.data(), record.size()))
        return {{}, true};
    const auto* origin = reinterpret_cast<const struct shale_origin*>(record.data());
    if (static_cast<bool>(origin->flags & SHALE_ORIGIN_UPPER) != (whose == Of::upper))
        return {{}, true};
    if (is_null(origin->uuid))
        return {};
    Lead lead{{}, !mounts_.empty()};
    for (const UniqueFd& mount : mounts_) {
        const UniqueFd fd = try_open_origin(mount.get(), record);
        struct stat st {};
        if (!fd || fstat(fd.get(), &st) != 0) {
            lead.is_sure &= errno == ESTALE || errno == ENOENT;
            continue;
        }
        if (lead.object)
            return {}; // which of them is meant is not known here
        lead.object = st;
    }
    return lead;
}

} // namespace shale::tree
