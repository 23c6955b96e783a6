// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/subject.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "commands/layers.hpp"
#include "commands/target.hpp"
#include "mounting/layer_paths.hpp"
#include "netlink/client.hpp"

namespace shale {

namespace {

/// The directory that is meant, and the mount that it is reached through.
struct Place {
    std::string path; ///< without symbolic links
    mounting::MountPoint mount;
    UniqueFd fd;
};

std::string directory_called(const std::string& target, const Globals& globals) {
    if (target.find('/') != std::string::npos || stat_at(AT_FDCWD, target))
        return target;
    auto store = existing_store(globals.root);
    const auto mounts = mounted_as(target, store);
    if (mounts.empty())
        throw Error(target, "neither a directory nor the name of a mount", "\"shale mounts\" lists what is mounted");
    return mounts.front().path;
}

Place place_of_target(const std::string& target, const Globals& globals) {
    const std::string directory = directory_called(target, globals);
    const std::unique_ptr<char, decltype(&std::free)> path(realpath(directory.c_str(), nullptr), &std::free);
    if (!path)
        throw Error::from_errno(directory, errno);
    Place place;
    place.path = path.get();
    place.fd = open_at(AT_FDCWD, place.path, O_PATH | O_DIRECTORY);
    const auto mount = mounting::mount_point_of(place.fd.get(), mounting::read_mountinfo());
    if (!mount)
        throw Error(target, "its mount is not in this mount namespace", "run this where it was mounted");
    if (mount->type != "overlay" && !is_shale(*mount))
        throw Error(target, "neither in a mount of Shale nor of overlayfs: its type is " + mount->type,
                    "name a directory of such a mount: findmnt -t shale,overlay lists them");
    const auto& options = mount->options;
    if (std::find(options.begin(), options.end(), "idmapped") != options.end())
        throw Error(target, "is an id-mapped mount, so its owners are not those in the layers",
                    "verify a mount of it that is not mapped");
    place.mount = *mount;
    return place;
}

/// Where @p place lies in the union: empty for its root.
std::string inside(const Place& place) {
    const std::string below =
        place.mount.path == "/" ? place.path : place.path.substr(std::min(place.path.size(), place.mount.path.size()));
    const std::string path = (place.mount.root == "/" ? "" : place.mount.root) + below;
    return path == "/" ? "" : path;
}

mounting::LayerPaths paths_of_shale(const Place& place) {
    const auto record = netlink::Client::open().mount_of(place.fd.get());
    require_paths(record);
    return {record.upper, record.work, record.lowers, record.data_lowers};
}

mounting::LayerPaths paths_of_overlayfs(const Place& place) {
    auto paths = mounting::layer_paths(place.mount);
    std::vector<std::string> all = paths.lowers;
    all.push_back(paths.upper.value_or("/"));
    all.push_back(paths.work.value_or("/"));
    for (const std::string& path : all) {
        if (!path.starts_with('/'))
            throw Error(place.path, "its layer \"" + path + "\" was named by a relative path, and nobody knows from where",
                        "mount it with absolute paths");
    }
    return paths;
}

/// Which file system a directory is on, as the kernel counts them: subvolumes of btrfs are one.
std::pair<uint32_t, uint32_t> file_system_of(const std::string& path, const std::vector<mounting::MountPoint>& mounts) {
    const UniqueFd fd = open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY);
    if (const auto mount = mounting::mount_point_of(fd.get(), mounts))
        return {mount->major, mount->minor};
    const dev_t device = stat_of(fd.get(), path).st_dev;
    return {major(device), minor(device)};
}

/// What the module's parameter @p name says; false where there is none.
bool parameter(const std::string& module, const std::string& name) {
    std::ifstream file("/sys/module/" + module + "/parameters/" + name);
    return file.get() == 'Y';
}

verify::Numbers numbers_of(const mounting::LayerPaths& paths, const mounting::MountPoint& mount) {
    const auto mounts = mounting::read_mountinfo();
    std::set<std::pair<uint32_t, uint32_t>> file_systems;
    for (const std::string& lower : paths.lowers)
        file_systems.insert(file_system_of(lower, mounts));
    if (paths.upper)
        file_systems.insert(file_system_of(*paths.upper, mounts));
    if (file_systems.size() == 1)
        return verify::Numbers::one_file_system;

    // What is not shown is as the module's parameters have it.
    const std::string by_default = parameter(mount.type, "xino_auto") ? "auto" : "off";
    const std::string xino = mounting::option_value(mount, "xino").value_or(by_default);
    return xino == "on"    ? verify::Numbers::with_layer
           : xino == "off" ? verify::Numbers::apart
                           : verify::Numbers::unknown;
}

/// What is not shown is as the module's parameters have it.
bool is_on(const mounting::MountPoint& mount, const std::string& name) {
    const auto value = mounting::option_value(mount, name);
    return value ? *value == "on" : parameter(mount.type, name);
}

bool has_option(const mounting::MountPoint& mount, const std::string& name) {
    const auto& options = mount.file_system_options;
    return std::find(options.begin(), options.end(), name) != options.end();
}

bool follows_redirects(const mounting::MountPoint& mount) {
    if (const auto value = mounting::option_value(mount, "redirect_dir"))
        return *value == "on" || *value == "follow";
    return !has_option(mount, "userxattr") &&
           (parameter(mount.type, "redirect_dir") || parameter(mount.type, "redirect_always_follow"));
}

bool follows_metacopies(const mounting::MountPoint& mount) {
    return !has_option(mount, "userxattr") && is_on(mount, "metacopy");
}

/// Names that differ in case alone are one there, which the model does not know.
void refuse_casefolded(const tree::Layer& layer) {
    constexpr unsigned casefold = 0x40000000; // FS_CASEFOLD_FL
    unsigned flags = 0;
    if (ioctl(open_at(layer.fd(), ".", O_RDONLY | O_DIRECTORY).get(), FS_IOC_GETFLAGS, &flags) == 0 && flags & casefold)
        throw Error(layer.path(), "ignores the case of names, and that can't be judged yet");
}

tree::Union::Layers open_all(const mounting::LayerPaths& paths) {
    auto layers = tree::open_layers(paths.lowers);
    if (paths.upper)
        layers.insert(layers.begin(), tree::Layer::open(*paths.upper));
    for (const auto& layer : layers)
        refuse_casefolded(*layer);
    return layers;
}

mounting::LayerPaths paths_of(const Place& place) {
    return is_shale(place.mount) ? paths_of_shale(place) : paths_of_overlayfs(place);
}

ondisk::Prefix prefix_of(const Place& place) {
    return has_option(place.mount, "userxattr") ? ondisk::Prefix::user : ondisk::Prefix::trusted;
}

} // namespace

LiveLayers live_layers_of(const std::string& target, const Globals& globals) {
    const Place place = place_of_target(target, globals);
    return {paths_of(place), prefix_of(place)};
}

verify::Subject subject_of(const std::string& target, const Globals& globals) {
    const Place place = place_of_target(target, globals);
    const auto paths = paths_of(place);

    auto shown = tree::Layer::open(place.path);
    if (!shown->is_private())
        throw Error(target, "cannot be looked at apart from what is mounted in it", "only root may: run it with sudo");
    const auto layers = open_all(paths);
    verify::Subject subject{std::move(shown), inside(place), tree::Union(layers, prefix_of(place), paths.data_lowers)};
    subject.has_upper = paths.upper.has_value();
    subject.numbers = numbers_of(paths, place.mount);
    subject.origins.emplace(layers, subject.has_upper ? 1 : 0);
    subject.every_copy_is_indexed = mounting::option_value(place.mount, "nfs_export") == "on";
    // An index that a mount with another option has left is not looked at.
    if (paths.work && (subject.every_copy_is_indexed || is_on(place.mount, "index")))
        subject.index.emplace(*paths.work, *subject.origins);
    subject.follows_redirects = follows_redirects(place.mount);
    subject.follows_metacopies = follows_metacopies(place.mount);
    subject.is_overlayfs = !is_shale(place.mount);
    return subject;
}

} // namespace shale
