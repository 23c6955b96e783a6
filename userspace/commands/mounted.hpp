// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mounting/mountinfo.hpp"
#include "netlink/client.hpp"

namespace shale {

/// Which directories mounts stand on: the kernel knows those of all Shale mounts, in every namespace; the
/// mount table those of overlayfs, and bind mounts, in this one. The table is read once.
class MountedDirectories {
public:
    /// Throws Error.
    MountedDirectories();

    /// @p mention is what the mount table would say of the directory @p path, as a part of a path or an
    /// option. Throws Error.
    bool has(const std::string& path, const std::string& mention);

private:
    bool mentioned(const std::string& text) const;

    std::optional<netlink::Client> shale_;
    std::vector<mounting::MountPoint> mounts_;
};

/// Whether a mount stands on the directory @p path now.
bool is_mounted_now(const std::string& path);

} // namespace shale
