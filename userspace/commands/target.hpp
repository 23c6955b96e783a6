// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a person means by NAME or DIR: where the kernel's mounts, the mount points and the store's
// snapshots meet.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mounting/mountinfo.hpp"
#include "netlink/client.hpp"
#include "store/store.hpp"

namespace shale {

/// The store, or nothing if none was made at @p root yet.
std::optional<Store> existing_store(const std::string& root);

/// Whether @p mount is one of the module's. overlayfs has mounts of a type that ours may have, too,
/// so the module is asked in case of doubt.
bool is_shale(const mounting::MountPoint& mount);

/// The mount points of @p mount; several if it is bound to further places.
std::vector<mounting::MountPoint> mount_points(const netlink::MountRecord& mount);

/// Whether both paths lead to the same object.
bool same_object(const std::string& one, const std::string& other);

/// Whether @p mount is that of @p snapshot: it writes to its upper, or has the directory of a view on top.
bool is_mount_of(const netlink::MountRecord& mount, const SnapshotRecord& snapshot);
/// The snapshot that @p mount is of, if it is one's.
std::optional<SnapshotRecord> snapshot_of(Store& store, const netlink::MountRecord& mount);

/// The image all of whose layers are @p lowers.
std::optional<ImageRecord> image_with_layers(Store& store, const std::vector<std::string>& lowers);

/// The top-most mount on @p directory, of whatever type; nothing if it is no mount point.
std::optional<mounting::MountPoint> mounted_on(const std::string& directory);

/// The Shale mounts called @p name: those of the snapshot of that name, and those made with it
/// as their source.
std::vector<mounting::MountPoint> mounted_as(const std::string& name, std::optional<Store>& store);

/// The one mount that @p target means: a mount point or anything in the mount, or else the name
/// or the id that "shale mounts" tells. Throws Error if it means none, or several.
netlink::MountRecord find_mount(const std::string& target, netlink::Client& client,
                                std::optional<Store>& store);

/// Where @p mount is to be found from here: the first of its mount points, or else "NAME (elsewhere)".
std::string place_of(const netlink::MountRecord& mount);

/// The same for many mounts, with one look into /proc.
class Places {
public:
    Places() : mounts_(mounting::read_mountinfo()) {}

    /// All of @p mount's mount points.
    std::vector<mounting::MountPoint> of(const netlink::MountRecord& mount) const;
    std::string first_of(const netlink::MountRecord& mount) const;

private:
    std::vector<mounting::MountPoint> mounts_;
};

} // namespace shale
