// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/fd.hpp"
#include "store/attributes.hpp"
#include "store/lower_layers.hpp"

namespace shale {

/// The directories of a layer while it is being made, and which of them hide what lies below.
///
/// Directories are made 0700 and empty of attributes; finish() gives them theirs. Until then
/// nothing is inherited from them and filling them does not spoil their times.
///
/// No path is ever resolved through a symbolic link or out of the layer.
class LayerDirectories {
public:
    /// @p root is the open, empty directory of the layer; all three outlive the object.
    LayerDirectories(int root, const LowerLayers& lower, AttributeWriter& writer);

    /// The directory @p path ("" is the root), made with its parents where the archive has not
    /// mentioned it yet. Valid until the next call. Throws Error naming @p thing where something
    /// else is in the way, above all a symbolic link.
    int open(const std::string& path, const std::string& thing);

    /// Makes @p path a directory with these attributes, whatever it was. What a directory of that
    /// name holds stays.
    void put(const std::string& path, const Attributes& attributes, const std::string& thing);

    /// Makes directory @p path hide what lower layers have in it.
    void make_opaque(const std::string& path, const std::string& thing);

    /// The archive hides @p path of the layers below. True where a whiteout has to be made, false
    /// where something in this layer hides them already.
    bool hide(const std::string& path, const std::string& thing);

    /// Removes whatever is called @p path, so that something else can take the name.
    void clear(const std::string& path, const std::string& thing);

    /// Sets the attributes of all directories. Call once, at the end.
    void finish(const std::string& thing);

private:
    struct Directory {
        Attributes attributes;
        bool opaque = false;
    };

    void make_with_parents(const std::string& path, const std::string& thing);
    void make(int parent, const std::string& name, const std::string& path,
              const Attributes& attributes, const std::string& thing);
    Attributes implied(const std::string& path) const;
    bool hidden_here(const std::string& path) const;

    int root_;
    const LowerLayers& lower_;
    AttributeWriter& writer_;
    /// By path, so that reverse order visits children before parents.
    std::map<std::string, Directory> directories_;
    /// Names that whiteouts of this layer hide, whether or not the layer has them anew.
    std::set<std::string> hidden_;
    std::string cached_path_;
    UniqueFd cached_;
};

} // namespace shale
