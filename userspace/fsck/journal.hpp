// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/xattr.hpp"
#include "fsck/finding.hpp"

namespace shale::fsck {

/// What was changed, for people who want it back: a file that only grows, one JSON object a line. Each is on the disk
/// before its step is done, and has what was there before. The last one may be of a step that a crash forestalled.
class Journal {
public:
    /// Opens @p path, or makes it; nobody else may have it open. Throws Error.
    explicit Journal(const std::string& path);

    /// Notes @p step, that @p finding wants, on what is @p name in the open directory @p parent now. Throws Error.
    void note(const Finding& finding, const Step& step, int parent, const std::string& name);

private:
    void append(std::string line);

    std::string path_;
    UniqueFd fd_;
};

} // namespace shale::fsck
