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

std::optional<Store> existing_store(const std::string& root) {
    if (access((root + "/shale.db").c_str(), F_OK) != 0)
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

std::vector<mounting::MountPoint> mount_points(const netlink::MountRecord& mount) {
    std::vector<mounting::MountPoint> found;
    for (auto& candidate : mounting::read_mountinfo()) {
        if (candidate.type == mount.type && candidate.major == mount.major &&
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
    auto client = netlink::Client::open_if_loaded();
    const auto mounts = mounting::read_mountinfo();
    // Who may not ask for mounts is not to be told so where there are none.
    if (!client || std::none_of(mounts.begin(), mounts.end(), [&](const auto& mount) {
            return mount.type == client->file_system();
        }))
        return found;

    std::optional<SnapshotRecord> snapshot;
    if (store) {
        for (auto& candidate : store->snapshots()) {
            if (candidate.name == name)
                snapshot = std::move(candidate);
        }
    }
    for (const auto& record : client->mounts()) {
        const bool named = snapshot ? record.upper && same_object(*record.upper, snapshot->upper)
                                    : record.source == name;
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
