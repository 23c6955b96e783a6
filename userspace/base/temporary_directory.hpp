// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace shale {

/// A fresh directory, removed with all that is in it when the object dies.
class TemporaryDirectory {
public:
    /// Made in $TMPDIR or /tmp, mode 0700.
    explicit TemporaryDirectory(const std::string& prefix = "shale-") : TemporaryDirectory("", prefix) {}
    /// Made in @p parent, unless that is empty.
    TemporaryDirectory(const std::string& parent, const std::string& prefix);
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::string& path() const { return path_; }

private:
    std::string path_;
};

} // namespace shale
