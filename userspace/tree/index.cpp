// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/index.hpp"

#include <cerrno>

#include <fcntl.h>
#include <linux/shale_ondisk.h>

#include "base/at.hpp"
#include "base/names_in.hpp"
#include "ondisk/marks.hpp"

namespace shale::tree {

Index::Index(const std::string& work, const Origins& origins) {
    const auto layer = Layer::open(work);
    UniqueFd fd = try_open_beneath(layer->fd(), SHALE_INDEX_DIR, O_RDONLY | O_DIRECTORY);
    if (!fd && errno == ENOENT)
        return;
    if (!fd)
        throw Error::from_errno(work + "/" SHALE_INDEX_DIR, errno);
    directory_ = std::make_shared<const UniqueFd>(std::move(fd));

    for (const std::string& name : names_in(directory_->get())) {
        __u8 record[SHALE_INDEX_NAME_MAX];
        const auto size = shale_index_name_decode(name.data(), name.size(), record);
        const auto upper = stat_at(directory_->get(), name);
        if (!size || !upper || S_ISDIR(upper->st_mode) ||
            ondisk::is_whiteout_device(upper->st_mode, upper->st_rdev))
            continue;
        const auto lower = origins.follow({reinterpret_cast<const char*>(record), size});
        if (!lower)
            continue;
        const auto& entry = by_lower_[identity_of(*lower)] = {*upper, *lower, name};
        by_upper_[identity_of(*upper)] = &entry;
    }
}

const Index::Entry* Index::copied_from(const struct stat& lower) const {
    const auto found = by_lower_.find(identity_of(lower));
    return found == by_lower_.end() ? nullptr : &found->second;
}

const Index::Entry* Index::of_copy(const struct stat& upper) const {
    const auto found = by_upper_.find(identity_of(upper));
    return found == by_upper_.end() ? nullptr : found->second;
}

std::optional<uint64_t> Index::links(const Entry& entry, const std::string& nlink) {
    struct shale_nlink mark {};
    if (!shale_nlink_decode(nlink.data(), nlink.size(), &mark))
        return std::nullopt;
    return (mark.of_upper ? entry.upper.st_nlink : entry.lower.st_nlink) +
           static_cast<uint64_t>(mark.diff);
}

} // namespace shale::tree
