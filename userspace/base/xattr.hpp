// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace shale {

/// Extended attributes of one object, reached in one of two ways: by an open descriptor, or, for
/// what cannot be opened without side effects (symbolic links, devices, fifos), as a name in an
/// open directory.
class XattrTarget {
public:
    /// @p fd was opened without O_PATH and outlives the object.
    explicit XattrTarget(int fd) : fd_(fd) {}
    /// @p name is not followed if it is a symbolic link. It is a single component, unless @p dir is
    /// AT_FDCWD.
    XattrTarget(int dir, const std::string& name);

    /// Names of all attributes; empty where the file system has none, the object is gone, or nothing
    /// is told to the caller. Throws Error for what else goes wrong, so that no mark is overlooked.
    std::vector<std::string> names() const;
    /// The value, or nothing, in the same way.
    std::optional<std::string> get(const std::string& name) const;
    /// Returns 0 or the errno value: callers differ in what they can do without.
    int set(const std::string& name, const std::string& value) const;
    int remove(const std::string& name) const;

private:
    std::string shown() const;

    int fd_ = -1;
    std::string path_;
};

} // namespace shale
