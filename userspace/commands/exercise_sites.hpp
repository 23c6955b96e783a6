// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where `shale verify --exercise` works: in mounts of its own, or in a directory of somebody's.
#pragma once

#include <memory>
#include <string>

#include "commands/globals.hpp"
#include "exercise/layers.hpp"
#include "exercise/site.hpp"
#include "verify/subject.hpp"

namespace shale {

/// Whether files in @p directory ($TMPDIR or /tmp, if empty) have handles, which an index is made of. Throws Error
/// where no layers can lie.
bool has_handles_for_layers(const std::string& directory);

struct ScratchPlace {
    std::string directory; ///< empty: $TMPDIR or /tmp
    std::string type;      ///< of the mounts
    bool is_overlayfs;     ///< rather than the module's own
    exercise::Abilities abilities;
    Globals globals;
};

/// Layers and a mount of them in a new directory, as @p played says. Wants a mount namespace of its own.
std::unique_ptr<exercise::Site> open_scratch(const ScratchPlace& place, const exercise::Case& played);

/// A mount of somebody's. Throws Error for what is none, or can't be written to.
class TargetPlace {
public:
    TargetPlace(const std::string& target, const Globals& globals);

    const std::string& directory() const { return directory_; }
    bool is_overlayfs() const { return is_overlayfs_; }
    const Globals& globals() const { return globals_; }

private:
    std::string directory_;
    bool is_overlayfs_ = false;
    const Globals& globals_;
};

/// A new directory in it.
std::unique_ptr<exercise::Site> open_in(const TargetPlace& place);

} // namespace shale
