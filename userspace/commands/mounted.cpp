// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/mounted.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "commands/target.hpp"
#include "mounting/layer_paths.hpp"
#include "netlink/refused.hpp"

namespace shale {

namespace {

/// The name of the mount namespace of a process; none where that can't be told, or it is gone.
std::string namespace_of(const std::string& process) {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/" + process + "/ns/mnt", error);
}

/// What is mounted in the namespaces of all other processes.
std::vector<MountedDirectories::Namespace> read_other_namespaces() {
    std::vector<MountedDirectories::Namespace> found;
    std::set<std::string> seen = {"", namespace_of("self")};
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string process = entry.path().filename();
        if (process.find_first_not_of("0123456789") != std::string::npos ||
            !seen.insert(namespace_of(process)).second)
            continue;
        try {
            found.push_back({"/proc/" + process + "/root", mounting::read_mountinfo(process)});
        } catch (const Error&) {
            // It has just ended, and then another may have the same namespace.
            seen.erase(namespace_of(process));
        }
    }
    return found;
}

/// Whether a path up to here, as a mount table has it, is surely another directory's.
bool is_other(const std::string& path, const std::string& directory) {
    return path.starts_with('/') && stat_at(AT_FDCWD, path) && !same_object(path, directory);
}

/// Whether @p text may have a path of @p directory in it, of which @p mention would be seen. Only a path of
/// our own namespace can tell that it has not.
bool may_name(const std::string& text, const std::string& directory, const std::string& mention, bool is_ours) {
    const std::string ends = "/:,=";
    for (auto at = text.find(mention); at != std::string::npos; at = text.find(mention, at + 1)) {
        const auto end = at + mention.size();
        if (end < text.size() && ends.find(text[end]) == std::string::npos)
            continue;
        const auto before = text.find_last_of(":,=", at);
        const auto begin = before == std::string::npos ? 0 : before + 1;
        if (!is_ours || !is_other(text.substr(begin, end - begin), directory))
            return true;
    }
    return false;
}

/// Whether @p mount, of overlayfs, stands on @p directory. Its paths are those of who mounted it, in its own namespace,
/// where @p root leads, or in ours; relative ones, of which only the last name tells anything, may be it.
bool has_as_layer(const mounting::MountPoint& mount, const std::string& directory, const std::string& root) {
    const auto paths = mounting::layer_paths(mount);
    std::vector<std::string> all = paths.lowers;
    for (const auto& more : {paths.upper, paths.work})
        all.insert(all.end(), more ? 1 : 0, more.value_or(""));
    const auto last = [](const std::string& path) { return (std::filesystem::path(path) / "").parent_path().filename(); };
    return std::any_of(all.begin(), all.end(), [&](const std::string& path) {
        if (!path.starts_with('/')) {
            const auto name = last(path);
            return name.empty() || name == "." || name == ".." || name == last(directory);
        }
        return same_object(path, directory) || (!root.empty() && same_object(root + path, directory));
    });
}

} // namespace

MountedDirectories::MountedDirectories()
    : shale_(netlink::Client::open_if_loaded()), mounts_(mounting::read_mountinfo()),
      elsewhere_(read_other_namespaces()) {}

bool MountedDirectories::may_be_mentioned(const std::string& directory, const std::string& mention) const {
    const auto in = [&](const std::vector<mounting::MountPoint>& mounts, bool are_ours) {
        const auto has = [&](const std::string& text) { return may_name(text, directory, mention, are_ours); };
        return std::any_of(mounts.begin(), mounts.end(), [&](const mounting::MountPoint& mount) {
            const auto& options = mount.file_system_options;
            return has(mount.root) || has(mount.path) || std::any_of(options.begin(), options.end(), has);
        });
    };
    return in(mounts_, true) || std::any_of(elsewhere_.begin(), elsewhere_.end(), [&](const Namespace& other) {
               return in(other.mounts, false);
           });
}

bool MountedDirectories::is_in_use(const std::string& layer) {
    if (!shale_ || !stat_at(AT_FDCWD, layer))
        return false;
    const UniqueFd fd = open_at(AT_FDCWD, layer, O_PATH | O_DIRECTORY);
    try {
        return !shale_->in_use(fd.get()).empty();
    } catch (const netlink::Refused& refused) {
        throw Error(layer, refused.what(),
                    refused.error() == EPERM ? "only root may ask who has it mounted: run it with sudo" : "");
    }
}

bool MountedDirectories::has_layer(const std::string& path) {
    // Of 64 digits: it means the layer wherever it stands.
    return may_be_mentioned(path, std::filesystem::path(path).filename()) || is_in_use(path);
}

bool MountedDirectories::has_directory(const std::string& given) {
    std::error_code unresolved;
    const auto resolved = std::filesystem::canonical(given, unresolved);
    const std::string path = unresolved ? given : resolved.string();
    const auto in = [&](const std::vector<mounting::MountPoint>& mounts, const std::string& root) {
        return std::any_of(mounts.begin(), mounts.end(), [&](const mounting::MountPoint& mount) {
            return mount.type == netlink::stand_in_name && has_as_layer(mount, path, root);
        });
    };
    return is_in_use(path) || in(mounts_, "") || std::any_of(elsewhere_.begin(), elsewhere_.end(), [&](const Namespace& other) {
               return in(other.mounts, other.root);
           });
}

bool MountedDirectories::has_upper(const std::string& path) {
    const std::filesystem::path snapshot = std::filesystem::path(path).parent_path();
    return may_be_mentioned(snapshot, "/snapshots/" + snapshot.filename().string()) || is_in_use(path);
}

bool is_upper_mounted(const std::string& path) {
    return MountedDirectories().has_upper(path);
}

} // namespace shale
