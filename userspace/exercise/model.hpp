// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The reference model in motion: a tree in memory, and what POSIX says that each operation does to it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "exercise/node.hpp"
#include "exercise/operation.hpp"

namespace shale::exercise {

/// What a mount is allowed that no file system need be.
struct Traits {
    /// Directories that lower layers have can be renamed. Else EXDEV tells the caller to copy, as POSIX allows.
    bool renames_lower_directories = true;
    bool is_overlayfs = false; ///< with the habits that docs/differences.md lists
    bool has_devices = false;  ///< there may be some: it is mounted with nodev
    bool has_remounts = false;
    bool lists_numbers = false; ///< d_ino is st_ino, as all layers are on one file system
    bool has_escaped_marks = false; ///< the mount shows trusted.overlay.* of a nested one
};

/// What has to come of an operation.
struct Plan {
    /// One of these is the answer, as POSIX gives errors no order. Empty: it succeeds.
    std::vector<int> errors{};
    /// May be the answer instead, with nothing changed.
    std::vector<int> excuses{};
    /// What success does to the model.
    std::function<void()> commit = [] {};
    /// Names whose objects, or absence, are to be looked at afterwards; no symbolic link leads to them.
    std::vector<std::string> touched{};
};

class Model {
public:
    Model(NodePtr root, Traits traits) : root_(std::move(root)), traits_(traits) {}

    const NodePtr& root() const { return root_; }
    const Traits& traits() const { return traits_; }

    Plan plan(const Operation& operation) const;

    /// What @p path leads to without following a symbolic link at its end; null if there is nothing.
    NodePtr find(const std::string& path) const;

    /// All paths, parents first, the root as ".".
    std::vector<std::string> paths() const;

private:
    NodePtr root_;
    Traits traits_;
};

} // namespace shale::exercise
