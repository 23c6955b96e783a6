// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mounting/mountinfo.hpp"
#include "netlink/client.hpp"
#include "store/records.hpp"

namespace shale {

/// Which directories mounts stand on: the kernel knows those of all Shale mounts, in every namespace; the
/// mount tables those of overlayfs, and bind mounts, in the namespaces that processes are in (to root; others
/// see fewer). What overlayfs was given as a relative path, or through symbolic links, is not found. The tables
/// are read once.
class MountedDirectories {
public:
    /// Throws Error.
    MountedDirectories();

    /// Whether a mount has @p layer, which is @p directory or in it. @p mention is what a mount table would say
    /// of the directory, wherever its path begins there. Throws Error.
    bool has(const std::string& directory, const std::string& mention, const std::string& layer);

private:
    bool may_be_mentioned(const std::string& directory, const std::string& mention) const;

    std::optional<netlink::Client> shale_;
    std::vector<mounting::MountPoint> mounts_;
    std::vector<mounting::MountPoint> elsewhere_;
};

bool is_snapshot_mounted(const SnapshotRecord& snapshot, MountedDirectories& mounted);
/// The same by its upper, asked now.
bool is_upper_mounted(const std::string& upper);

} // namespace shale
