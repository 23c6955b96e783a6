// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/layers.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"

namespace shale {

namespace {

/// The name space of the marks, which a mount's options tell.
ondisk::Prefix prefix_of(const netlink::MountRecord& mount) {
    for (const auto& point : mount_points(mount)) {
        const auto& options = point.file_system_options;
        if (std::find(options.begin(), options.end(), "userxattr") != options.end())
            return ondisk::Prefix::user;
    }
    return ondisk::Prefix::trusted;
}

} // namespace

std::size_t layer_count(const netlink::MountRecord& mount) {
    return mount.lowers.size() + (mount.upper ? 1 : 0);
}

bool is_of_data(const netlink::MountRecord& mount, std::size_t index) {
    return index + mount.data_lowers >= layer_count(mount);
}

std::size_t layer_index(const netlink::MountRecord& mount, std::optional<uint32_t> lower) {
    return lower ? *lower + (mount.upper ? 1 : 0) : 0;
}

std::string layer_name(const netlink::MountRecord& mount, std::size_t index) {
    if (mount.upper && index == 0)
        return "upper";
    return "lower " + std::to_string(index + (mount.upper ? 0 : 1));
}

const std::string& layer_path(const netlink::MountRecord& mount, std::size_t index) {
    if (mount.upper && index == 0)
        return *mount.upper;
    return mount.lowers.at(index - (mount.upper ? 1 : 0));
}

std::string path_text(const std::string& path) {
    return path.empty() ? "(in another mount namespace)" : path;
}

void require_paths(const netlink::MountRecord& mount) {
    for (std::size_t index = 0; index < layer_count(mount); ++index)
        if (layer_path(mount, index).empty())
            throw Error(layer_name(mount, index), "its path is known in the mount namespace only that it was mounted in",
                        "run this there, as by \"nsenter --mount --target PID\"");
}

void print_layer_tree(const netlink::MountRecord& mount, std::ostream& out,
                      const std::function<std::string(std::size_t)>& note) {
    const std::size_t count = layer_count(mount);
    for (std::size_t index = 0; index < count; ++index) {
        const bool last = index + 1 == count;
        out << (last ? "  └─ " : "  ├─ ") << layer_name(mount, index) << "  "
            << printable(path_text(layer_path(mount, index)));
        if (mount.upper && index == 0 && !mount.upper->empty())
            out << "  (work " << printable(mount.work.value_or("-")) << ")";
        if (is_of_data(mount, index))
            out << "  (data only)";
        out << "\n";
        if (const std::string text = note ? note(index) : ""; !text.empty())
            out << (last ? "       " : "  │    ") << printable(text) << "\n";
    }
}

tree::Union open_layers(const netlink::MountRecord& mount) {
    require_paths(mount);
    tree::Union::Layers layers;
    for (std::size_t index = 0; index < layer_count(mount); ++index)
        layers.push_back(tree::Layer::open(layer_path(mount, index)));
    return tree::Union(std::move(layers), prefix_of(mount));
}

} // namespace shale
