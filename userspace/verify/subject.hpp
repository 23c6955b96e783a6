// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tree/index.hpp"
#include "tree/layer.hpp"
#include "tree/origin.hpp"
#include "tree/union.hpp"

namespace shale::verify {

/// How a mount makes inode numbers of those of its layers.
enum class Numbers {
    one_file_system, ///< of all layers: the numbers are unique as they are
    with_layer,      ///< xino: the upper bits say which file system
    apart,           ///< each file system has a device of its own, and directories numbers of their own
    unknown,         ///< xino=auto: one of the two before
};

/// What is judged.
struct Subject {
    /// The mount, or a directory in it. Through a private clone, so that mounts on top are not seen.
    std::shared_ptr<const tree::Layer> shown;
    std::string inside; ///< where that is in the union; empty for the root
    tree::Union model;
    bool has_upper = false; ///< the first layer of the model

    Numbers numbers = Numbers::one_file_system;
    std::optional<tree::Origins> origins{}; ///< none: they are not looked at
    std::optional<tree::Index> index{};     ///< none: the mount has no index
    bool every_copy_is_indexed = false;   ///< nfs_export: others go by numbers of their own

    bool follows_redirects = true;
    bool follows_metacopies = true;
    /// Whether it is overlayfs, which lists whiteouts where one layer alone has the directory, and of hard
    /// links numbers of its own.
    bool is_overlayfs = false;
};

} // namespace shale::verify
