// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The files of layers, as their lists have them, and which of them are said to be equal.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "store/layer_tree.hpp"
#include "tree/object.hpp"

namespace shale {

/// A layer and its regular files, each under its first name.
struct ListedLayer {
    struct File {
        LayerObject object;
        bool has_one_name = true;
    };

    Digest chain_id;
    std::string path; ///< absolute
    std::vector<File> files{};

    void take(LayerTree tree);
};

/// One file: indices of the layer, and in that.
struct FileIndex {
    size_t layer = 0;
    size_t file = 0;
};

/// Those that have the key in common, in the order of their layers.
using DataGroups = std::map<std::pair<uint64_t, std::string>, std::vector<FileIndex>>; ///< by size and content
using TwinGroups = std::map<std::string, std::vector<FileIndex>>;                      ///< by path and all else

DataGroups equal_data(const std::vector<ListedLayer>& layers, uint64_t smallest);
TwinGroups equal_files(const std::vector<ListedLayer>& layers);

/// The directory of each, open. Not as tree::Layer opens them, through mounts of their own: between these there are
/// no links, and nothing is written.
std::vector<UniqueFd> open_all(const std::vector<ListedLayer>& layers);

/// The file @p path of the layer at the open directory @p layer as it lies there now; nothing where no file is.
std::optional<tree::Object> find_file(int layer, const std::string& path);

} // namespace shale
