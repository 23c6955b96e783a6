// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/progress.hpp"
#include "store/layer_tree.hpp"

namespace shale {

/// ROOT/trees: what the directories of layers held when they were made, a list each (see text_of()), named by
/// its digest.
class TreeStore {
public:
    /// @p root is an open ROOT, @p shown its path.
    TreeStore(int root, const std::string& shown);

    /// Puts the list of the layer at the open directory @p layer into the open directory @p staging, from where it
    /// is to be published. Returns its digest. Files in @p known are not read. Throws Cancelled when @p progress says so.
    Digest record(int layer, const std::string& shown, const ContentDigests& known, int staging,
                  Progress& progress) const;
    /// Throws Error where the list is not there, or another.
    LayerTree read(const Digest& tree) const;
    /// Open ROOT/trees.
    int fd() const { return fd_.get(); }

private:
    UniqueFd fd_;
    std::string shown_;
};

} // namespace shale
