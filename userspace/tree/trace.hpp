// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What each layer has at one path, whether it is shown or not, and what hides it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "tree/union.hpp"

namespace shale::tree {

/// Why layers further down have no say about a path any more.
enum class HiddenBy {
    object,    ///< another one of that name, which does not merge
    whiteout,  ///< of the name, or of a directory above it
    opaque,    ///< a directory above it, or itself, that hides what is below
    no_merger, ///< something that is no directory, where the path needs one
};

struct Hider {
    std::size_t layer = 0; ///< index in the stack; 0 is the top-most
    std::string path;      ///< in that layer, without "/" at its begin
    HiddenBy how = HiddenBy::object;
};

/// What one layer has under the name.
struct Sighting {
    std::size_t layer = 0;
    std::string path; ///< in that layer: another one than asked for, where a redirect led here
    struct stat st {};
    bool whiteout = false;
    bool opaque = false;
    bool metacopy = false;
    bool origin = false; ///< marked as copied from a layer below
    std::optional<std::string> redirect;
    std::optional<Hider> hider; ///< nothing: it is shown, merged, or has the data of what is shown
};

struct Trace {
    std::vector<Sighting> sightings; ///< the top-most first
    std::optional<Hider> hider;      ///< what hides the layers below it; nothing, if none does
};

/// Follows @p path ("/" is the root) through all layers. What is read is each layer's own: the names
/// on the way are not followed if they are symbolic links. The last @p data_layers are of data only: no
/// name is looked for in them, but where the data of a copy without data lie. Throws Error when a layer
/// cannot be read.
Trace trace(const Union& tree, const std::string& path, std::size_t data_layers = 0);

} // namespace shale::tree
