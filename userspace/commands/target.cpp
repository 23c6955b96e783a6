// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/target.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include <fcntl.h>
#include <linux/shale.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace shale {

std::optional<Store> existing_store(const std::string& root) {
    if (access((root + "/shale.db").c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return std::nullopt;
    return Store::open(root);
}

bool is_shale(const mounting::MountPoint& mount) {
    if (mount.type == SHALE_FAMILY_NAME)
        return true;
    if (mount.type != netlink::stand_in_name)
        return false;
    const auto client = netlink::Client::open_if_loaded();
    return client && client->file_system() == mount.type;
}

std::vector<mounting::MountPoint> Places::of(const netlink::MountRecord& mount) const {
    std::vector<mounting::MountPoint> found;
    for (const auto& candidate : mounts_) {
        if (candidate.type == mount.type && candidate.major == mount.major &&
            candidate.minor == mount.minor)
            found.push_back(candidate);
    }
    return found;
}

std::string Places::first_of(const netlink::MountRecord& mount) const {
    const auto places = of(mount);
    return places.empty() ? mount.source + " (elsewhere)" : places.front().path;
}

std::vector<mounting::MountPoint> mount_points(const netlink::MountRecord& mount) {
    return Places().of(mount);
}

std::string place_of(const netlink::MountRecord& mount) {
    return Places().first_of(mount);
}

bool same_object(const std::string& one, const std::string& other) {
    struct stat a {};
    struct stat b {};
    return stat(one.c_str(), &a) == 0 && stat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

bool is_mount_of(const netlink::MountRecord& mount, const SnapshotRecord& snapshot) {
    if (snapshot.is_view == mount.upper.has_value() || (snapshot.is_view && mount.lowers.empty()))
        return false;
    const std::string& top = snapshot.is_view ? mount.lowers.front() : *mount.upper;
    return top == snapshot.top() || same_object(top, snapshot.top());
}

std::optional<SnapshotRecord> snapshot_of(Store& store, const netlink::MountRecord& mount) {
    for (auto& snapshot : store.snapshots()) {
        if (is_mount_of(mount, snapshot))
            return std::move(snapshot);
    }
    return std::nullopt;
}

std::optional<ImageRecord> image_with_layers(Store& store, const std::vector<std::string>& lowers) {
    for (const auto& image : store.images()) {
        const auto paths = store.layer_paths(image);
        if (std::equal(paths.begin(), paths.end(), lowers.begin(), lowers.end(),
                       [](const std::string& one, const std::string& other) {
                           return one == other || same_object(one, other);
                       }))
            return image;
    }
    return std::nullopt;
}

std::optional<mounting::MountPoint> mounted_on(const std::string& directory) {
    const std::unique_ptr<char, decltype(&std::free)> path{realpath(directory.c_str(), nullptr),
                                                           &std::free};
    if (!path)
        return std::nullopt;
    std::optional<mounting::MountPoint> top;
    for (auto& mount : mounting::read_mountinfo()) {
        if (mount.path == path.get())
            top = std::move(mount);
    }
    return top;
}

namespace {

/// The mount that the object at @p path is part of, if that is one of ours.
std::optional<netlink::MountRecord> mount_around(const std::string& path, netlink::Client& client) {
    const UniqueFd fd(open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!fd)
        return std::nullopt;
    const auto point = mounting::mount_point_of(fd.get(), mounting::read_mountinfo());
    if (!point || point->type != client.file_system())
        return std::nullopt;
    return client.mount_of(fd.get());
}

/// Whether people call @p mount so: by its writable layer's name, its source or its number.
bool is_called(const netlink::MountRecord& mount, const std::string& name,
               const std::optional<SnapshotRecord>& snapshot) {
    if (snapshot)
        return is_mount_of(mount, *snapshot);
    return mount.source == name || std::to_string(mount.id) == name;
}

std::optional<SnapshotRecord> snapshot_called(const std::string& name, std::optional<Store>& store) {
    std::optional<SnapshotRecord> found;
    if (store) {
        for (auto& candidate : store->snapshots()) {
            if (candidate.name == name)
                found = std::move(candidate);
        }
    }
    return found;
}

} // namespace

netlink::MountRecord find_mount(const std::string& target, netlink::Client& client,
                                std::optional<Store>& store) {
    const auto point = mounted_on(target);
    if (point && point->type == client.file_system()) {
        if (auto mount = mount_around(target, client))
            return *std::move(mount);
    }
    if (target.find('/') == std::string::npos) {
        const auto snapshot = snapshot_called(target, store);
        std::vector<netlink::MountRecord> named;
        std::string ids;
        for (auto& mount : client.mounts()) {
            if (!is_called(mount, target, snapshot))
                continue;
            ids += (ids.empty() ? "" : ", ") + std::to_string(mount.id);
            named.push_back(std::move(mount));
        }
        if (named.size() > 1)
            throw Error(target, "several mounts are called so, with the ids " + ids,
                        "give one of the ids, or a mount point");
        if (named.size() == 1)
            return std::move(named.front());
    }
    if (auto mount = mount_around(target, client))
        return *std::move(mount);
    throw Error(target,
                point ? "not a Shale mount: its type is " + point->type
                      : "neither in a Shale mount nor the name or id of one",
                "\"shale mounts\" lists what is mounted");
}

std::vector<mounting::MountPoint> mounted_as(const std::string& name, std::optional<Store>& store) {
    std::vector<mounting::MountPoint> found;
    auto client = netlink::Client::open_if_loaded();
    const auto mounts = mounting::read_mountinfo();
    // Who may not ask for mounts is not to be told so where there are none.
    if (!client || std::none_of(mounts.begin(), mounts.end(), [&](const auto& mount) {
            return mount.type == client->file_system();
        }))
        return found;

    const auto snapshot = snapshot_called(name, store);
    for (const auto& record : client->mounts()) {
        const bool named = snapshot ? is_mount_of(record, *snapshot) : record.source == name;
        if (!named)
            continue;
        for (const auto& mount : mounts) {
            // The file system itself, not a part of it bound somewhere else.
            if (mount.type == record.type && mount.root == "/" && mount.major == record.major &&
                mount.minor == record.minor)
                found.push_back(mount);
        }
    }
    return found;
}

} // namespace shale
