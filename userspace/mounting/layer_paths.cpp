// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mounting/layer_paths.hpp"

#include "mounting/options.hpp"

namespace shale::mounting {

namespace {

void take_lowerdir(const std::string& value, LayerPaths& paths) {
    for (const LowerName& lower : split_lowerdir(value)) {
        if (lower.path.empty())
            continue;
        if (lower.of_data || paths.data_lowers > 0)
            paths.data_lowers++;
        paths.lowers.push_back(lower.path);
    }
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
            take_lowerdir(value, paths);
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
