// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace shale {

/// Moves finished directories from a staging directory to where they are seen, all or none: what
/// has been moved goes back unless keep() is called.
class Publication {
public:
    /// Both are open directories on one file system and outlive the object.
    Publication(int staging, int target) : staging_(staging), target_(target) {}
    ~Publication();
    Publication(const Publication&) = delete;
    Publication& operator=(const Publication&) = delete;

    /// Moves @p name, unless the target has it already: then somebody else was faster with the
    /// same thing, and theirs stays. Returns whether it was moved.
    bool publish(const std::string& name);
    /// Makes the moves durable. To be called before anything refers to them.
    void sync() const;
    void keep() { published_.clear(); }

private:
    int staging_;
    int target_;
    std::vector<std::string> published_;
};

} // namespace shale
