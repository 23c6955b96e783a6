// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mounting/mountinfo.hpp"
#include "netlink/client.hpp"

namespace shale {

/// Which directories mounts stand on: the kernel knows those of all Shale mounts, in every namespace; the
/// mount tables those of overlayfs, and bind mounts, in the namespaces that processes are in (to root; others
/// see fewer). What overlayfs was given as a relative path, or through symbolic links, is not found. The tables
/// are read once.
class MountedDirectories {
public:
    /// Throws Error.
    MountedDirectories();

    /// Whether a mount has the layer ROOT/layers/HEX. Throws Error.
    bool has_layer(const std::string& path);
    /// Whether a mount has the upper ROOT/snapshots/NAME/upper, or something is mounted in or from the
    /// directory of that name. Throws Error.
    bool has_upper(const std::string& path);
    /// Whether a mount has the directory @p path, wherever that is, as a layer or work directory. Throws Error.
    bool has_directory(const std::string& path);

    /// What is mounted in another mount namespace.
    struct Namespace {
        std::string root; ///< a path of ours that leads to its root
        std::vector<mounting::MountPoint> mounts;
    };

private:
    /// @p mention is what a mount table would say of @p directory, wherever its path begins there.
    bool may_be_mentioned(const std::string& directory, const std::string& mention) const;
    bool is_in_use(const std::string& layer);

    std::optional<netlink::Client> shale_;
    std::vector<mounting::MountPoint> mounts_;
    std::vector<Namespace> elsewhere_;
};

/// MountedDirectories::has_upper(), asked now.
bool is_upper_mounted(const std::string& path);

} // namespace shale
