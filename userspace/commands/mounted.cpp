// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/mounted.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "netlink/refused.hpp"

namespace shale {

MountedDirectories::MountedDirectories()
    : shale_(netlink::Client::open_if_loaded()), mounts_(mounting::read_mountinfo()) {}

bool MountedDirectories::mentioned(const std::string& text) const {
    const auto has = [&](const std::string& where) { return where.find(text) != std::string::npos; };
    return std::any_of(mounts_.begin(), mounts_.end(), [&](const mounting::MountPoint& mount) {
        const auto& options = mount.file_system_options;
        return has(mount.root) || has(mount.path) || std::any_of(options.begin(), options.end(), has);
    });
}

bool MountedDirectories::has(const std::string& path, const std::string& mention) {
    if (mentioned(mention))
        return true;
    if (!shale_ || !stat_at(AT_FDCWD, path))
        return false;
    const UniqueFd fd = open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY);
    try {
        return !shale_->in_use(fd.get()).empty();
    } catch (const netlink::Refused& refused) {
        throw Error(path, refused.what(),
                    refused.error() == EPERM ? "only root may ask who has it mounted: run it with sudo" : "");
    }
}

bool is_mounted_now(const std::string& path) {
    return MountedDirectories().has(path, path);
}

} // namespace shale
