// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/progress.hpp"
#include "oci/tar_reader.hpp"
#include "store/layer_directories.hpp"
#include "store/layer_tree.hpp"

namespace shale {

/// Makes a layer in the format of overlayfs out of the entries of a tar, in whatever order they
/// come. A later entry replaces an earlier one of the same name; a directory entry keeps what the
/// directory holds. Whiteouts hide names of lower layers only, as OCI has it.
class LayerBuilder {
public:
    /// @p root is the open, empty directory of the layer. All arguments outlive the builder.
    LayerBuilder(int root, const LowerLayers& lower, Omissions& omissions, Progress& progress);

    /// Adds one entry, taking its content from @p content. Throws Error naming the entry.
    void add(const oci::TarEntry& entry, oci::TarReader& content);
    /// To be called after the last entry. @p thing names the layer in messages.
    void finish(const std::string& thing) { directories_.finish(thing); }
    /// Of the files whose content came with their entries.
    ContentDigests take_contents() { return std::move(contents_); }

private:
    void add_whiteout(const oci::TarEntry& entry);
    void add_object(const oci::TarEntry& entry, oci::TarReader& content);
    void add_file(const oci::TarEntry& entry, oci::TarReader& content);
    void add_node(const oci::TarEntry& entry);
    void add_symlink(const oci::TarEntry& entry);
    void add_hard_link(const oci::TarEntry& entry);
    bool link_in_layer(const oci::TarEntry& entry, const oci::LayerName& target);
    void copy_from_below(const oci::TarEntry& entry, const oci::LayerName& target);

    UniqueFd create_file(const oci::TarEntry& entry, mode_t mode);
    void create_node(const oci::TarEntry& entry, mode_t mode, dev_t device);
    void create_symlink(const oci::TarEntry& entry, const std::string& link);
    template <typename Create> void create(const oci::TarEntry& entry, Create create);

    int root_;
    const LowerLayers& lower_;
    Omissions& omissions_;
    Progress& progress_;
    AttributeWriter writer_;
    LayerDirectories directories_;
    ContentDigest content_digest_;
    ContentDigests contents_;
    /// Files copied up for a hard link: path below -> path here, so that a second link joins the
    /// first.
    std::map<std::string, oci::LayerName> copied_;
};

} // namespace shale
