// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fsck/kinds.hpp"

namespace shale::fsck {

/// One change of one object, which the file system does wholly or not at all. Doing it again changes nothing.
struct Step {
    enum class Action { set_mark, remove_mark, remove_file, remove_directory };

    Action action = Action::remove_mark;
    std::string base;      ///< path of the layer or of the work directory
    std::string path;      ///< in that; empty for itself
    std::string attribute; ///< of a mark
    std::string value;     ///< that the mark gets
};

/// One thing that is not as it should be.
struct Finding {
    const Kind* kind = nullptr;
    std::string base;   ///< path of the layer or of the work directory
    std::string path;   ///< in that, without "/" at its begin; empty for itself
    std::string detail; ///< what is wrong with this one
    std::vector<Step> steps{}; ///< that put it right, in order; empty where it can't be, or may not
    bool in_lower = false;     ///< in a layer that is only read

    std::string place() const { return path.empty() ? base : base + "/" + path; }
};

using Findings = std::vector<Finding>;

} // namespace shale::fsck
