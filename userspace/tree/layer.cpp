// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/layer.hpp"

#include <fcntl.h>
#include <sys/mount.h>

#include "base/at.hpp"

namespace shale::tree {

namespace {

/// A private, read-only mount of the directory @p dir; empty where that is not permitted.
UniqueFd private_mount(int dir) {
    UniqueFd mount(open_tree(dir, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    if (!mount)
        return mount;
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME;
    attributes.attr_clr = MOUNT_ATTR__ATIME;
    if (mount_setattr(mount.get(), "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) != 0)
        mount.reset();
    return mount;
}

} // namespace

std::shared_ptr<const Layer> Layer::open(const std::string& path) {
    UniqueFd fd = open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY);
    UniqueFd mount = private_mount(fd.get());
    const bool is_private = static_cast<bool>(mount);
    return std::shared_ptr<const Layer>(new Layer(is_private ? std::move(mount) : std::move(fd), path, is_private));
}

std::vector<std::shared_ptr<const Layer>> open_layers(const std::vector<std::string>& paths) {
    std::vector<std::shared_ptr<const Layer>> layers;
    for (const std::string& path : paths)
        layers.push_back(Layer::open(path));
    return layers;
}

} // namespace shale::tree
