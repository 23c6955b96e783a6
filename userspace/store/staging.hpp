// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"

namespace shale {

/// A directory of one's own below ROOT/staging. What is still in it when the object dies is
/// removed; what a crashed process left is removed by the next one to come.
///
/// Each such directory is locked (flock) while its maker lives, which is how a stale one is told
/// from one in use. The lock of ROOT/staging itself covers the moment between making and locking.
class Staging {
public:
    /// @p root is an open ROOT.
    explicit Staging(int root);
    ~Staging();
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;

    int fd() const { return own_.get(); }

    /// Removes it now, with all that is in it. Throws Error where something of that can't be removed.
    void remove();

private:
    /// What a crash has left, locked.
    struct Stale {
        std::string name;
        UniqueFd lock;
    };

    std::vector<Stale> make_own(int root);
    std::vector<Stale> find_stale() const;

    UniqueFd all_;
    std::string name_;
    UniqueFd own_;
};

} // namespace shale
