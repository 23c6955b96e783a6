// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/target.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <linux/shale.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netlink/client.hpp"

namespace shale {

namespace {

/// Only the file system itself, not a part of it bound somewhere else.
bool is_whole_shale(const mounting::MountPoint& mount) {
    return mount.type == SHALE_FAMILY_NAME && mount.root == "/";
}

bool any_shale(const std::vector<mounting::MountPoint>& mounts) {
    return std::any_of(mounts.begin(), mounts.end(), is_whole_shale);
}

} // namespace

std::optional<Store> existing_store(const std::string& root) {
    if (access((root + "/shale.db").c_str(), F_OK) != 0)
        return std::nullopt;
    return Store::open(root);
}

std::vector<mounting::MountPoint> mount_points(const netlink::MountRecord& mount) {
    std::vector<mounting::MountPoint> found;
    for (auto& candidate : mounting::read_mountinfo()) {
        if (candidate.type == SHALE_FAMILY_NAME && candidate.major == mount.major &&
            candidate.minor == mount.minor)
            found.push_back(std::move(candidate));
    }
    return found;
}

bool same_object(const std::string& one, const std::string& other) {
    struct stat a {};
    struct stat b {};
    return stat(one.c_str(), &a) == 0 && stat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

std::optional<SnapshotRecord> snapshot_with_upper(Store& store, const std::string& upper) {
    for (const auto& snapshot : store.snapshots()) {
        if (snapshot.upper == upper || same_object(snapshot.upper, upper))
            return snapshot;
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

std::vector<mounting::MountPoint> mounted_as(const std::string& name, std::optional<Store>& store) {
    std::vector<mounting::MountPoint> found;
    const auto mounts = mounting::read_mountinfo();
    if (!any_shale(mounts))
        return found;

    std::optional<SnapshotRecord> snapshot;
    if (store) {
        for (auto& candidate : store->snapshots()) {
            if (candidate.name == name)
                snapshot = std::move(candidate);
        }
    }
    for (const auto& record : netlink::Client::open().mounts()) {
        const bool named = snapshot ? record.upper && same_object(*record.upper, snapshot->upper)
                                    : record.source == name;
        if (!named)
            continue;
        for (const auto& mount : mounts) {
            if (is_whole_shale(mount) && mount.major == record.major && mount.minor == record.minor)
                found.push_back(mount);
        }
    }
    return found;
}

} // namespace shale
