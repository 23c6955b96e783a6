// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/lower_layers.hpp"

#include <fcntl.h>

#include "base/at.hpp"
#include "base/xattr.hpp"
#include "ondisk/marks.hpp"

namespace shale {

namespace {

constexpr int open_directory = O_PATH | O_DIRECTORY;

bool is_opaque(int dir, const std::string& name) {
    const std::string mark = ondisk::xattr_name(ondisk::Prefix::trusted, ondisk::Mark::opaque);
    return ondisk::decode_opaque(XattrTarget(dir, name).get(mark).value_or("")) ==
           ondisk::Opaque::yes;
}

std::optional<LowerLayers::Found> find_in_layer(const UniqueFd& layer, const std::string& path) {
    const size_t slash = path.rfind('/');
    LowerLayers::Found found;
    found.parent = try_open_beneath(
        layer.get(), slash == std::string::npos ? "" : path.substr(0, slash), open_directory);
    if (!found.parent)
        return std::nullopt;
    found.name = path.empty() ? "." : path.substr(slash == std::string::npos ? 0 : slash + 1);
    const std::optional<struct stat> st = stat_at(found.parent.get(), found.name);
    if (!st)
        return std::nullopt;
    found.st = *st;
    return found;
}

/// Whether a layer that lacks @p path keeps it from showing through, by what it has on the way.
bool hides(const UniqueFd& layer, const std::string& path) {
    if (is_opaque(layer.get(), "."))
        return true;
    for (size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
        const std::optional<LowerLayers::Found> found = find_in_layer(layer, path.substr(0, slash));
        if (!found)
            return false;
        if (!S_ISDIR(found->st.st_mode) || is_opaque(found->parent.get(), found->name))
            return true;
    }
    return false;
}

} // namespace

std::optional<LowerLayers::Found> LowerLayers::find(const std::string& path) const {
    for (const std::string& layer_path : paths_) {
        const UniqueFd layer = open_at(AT_FDCWD, layer_path, open_directory);
        if (std::optional<Found> found = find_in_layer(layer, path)) {
            if (ondisk::is_whiteout_device(found->st.st_mode, found->st.st_rdev))
                return std::nullopt;
            return found;
        }
        if (hides(layer, path))
            return std::nullopt;
    }
    return std::nullopt;
}

} // namespace shale
