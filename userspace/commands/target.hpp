// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a person means by NAME or DIR: where the kernel's mounts, the mount points and the store's
// snapshots meet.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mounting/mountinfo.hpp"
#include "netlink/mount_record.hpp"
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

/// The snapshot whose writable layer is @p upper.
std::optional<SnapshotRecord> snapshot_with_upper(Store& store, const std::string& upper);

/// The image all of whose layers are @p lowers.
std::optional<ImageRecord> image_with_layers(Store& store, const std::vector<std::string>& lowers);

/// The top-most mount on @p directory, of whatever type; nothing if it is no mount point.
std::optional<mounting::MountPoint> mounted_on(const std::string& directory);

/// The Shale mounts called @p name: those of the snapshot of that name, and those made with it
/// as their source.
std::vector<mounting::MountPoint> mounted_as(const std::string& name, std::optional<Store>& store);

} // namespace shale
