// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mounting/layer_paths.hpp"

#include <string_view>

namespace shale::mounting {

namespace {

/// The value of "lowerdir": layers after one colon each, those of data after two. A backslash takes away a
/// character's meaning.
void split_lowers(std::string_view value, LayerPaths& paths) {
    std::string layer;
    unsigned colons = 0;
    const auto end_layer = [&] {
        if (layer.empty())
            return;
        if (colons == 2 || paths.data_lowers > 0)
            paths.data_lowers++;
        paths.lowers.push_back(std::move(layer));
        layer.clear();
        colons = 0;
    };
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == ':') {
            end_layer();
            colons++;
            continue;
        }
        if (value[i] == '\\' && i + 1 < value.size())
            ++i;
        layer += value[i];
    }
    end_layer();
}

} // namespace

LayerPaths layer_paths(const MountPoint& mount) {
    LayerPaths paths;
    for (const std::string& option : mount.file_system_options) {
        const auto equals = option.find('=');
        if (equals == std::string::npos)
            continue;
        const std::string name = option.substr(0, equals);
        const std::string value = option.substr(equals + 1);
        if (name == "lowerdir") {
            split_lowers(value, paths);
        } else if (name == "lowerdir+") {
            paths.lowers.push_back(value);
        } else if (name == "datadir+") {
            paths.lowers.push_back(value);
            paths.data_lowers++;
        } else if (name == "upperdir") {
            paths.upper = value;
        } else if (name == "workdir") {
            paths.work = value;
        }
    }
    return paths;
}

std::optional<std::string> option_value(const MountPoint& mount, const std::string& name) {
    for (const std::string& option : mount.file_system_options) {
        if (option.starts_with(name) && option.size() > name.size() && option[name.size()] == '=')
            return option.substr(name.size() + 1);
    }
    return std::nullopt;
}

} // namespace shale::mounting
