// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>

#include "base/progress.hpp"

namespace shale {

/// What an import or a commit left out. Kept by kind, so that an image with a thousand of one kind makes one
/// warning, which names the first.
class Omissions {
public:
    enum class Kind {
        overlay_xattr,     ///< trusted.overlay.* and user.overlay.*: would be obeyed as marks
        unsupported_xattr, ///< the file system of the store cannot hold it
        whiteout_device,   ///< a device 0:0 would be read as a whiteout
        socket,            ///< a tar holds none
        whiteout_name,     ///< ".wh.NAME" would be read as a whiteout
        xattr_name,        ///< a tar would bring it back under another name
    };

    /// @p what says which object it was and what happened to it.
    void note(Kind kind, const std::string& what);
    /// Hands one warning per kind to @p progress.
    void report(Progress& progress) const;

private:
    struct Seen {
        std::string first;
        size_t count = 0;
    };
    std::map<Kind, Seen> seen_;
};

} // namespace shale
