// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "base/fd.hpp"

namespace shale {

/// A name that is to be made in an existing directory, and does not exist yet.
struct NewName {
    /// Throws Error where @p path exists, or its directory does not.
    explicit NewName(const std::string& path);

    std::string path; ///< for messages
    std::string name; ///< last component
    UniqueFd parent;
};

/// A file that has its name only when it is complete: until then it has none, and disappears with
/// the process; or, where the file system knows no files without names, one beginning with ".".
class NewFile {
public:
    explicit NewFile(const std::string& path);
    ~NewFile();
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    int fd() const { return fd_.get(); }
    const std::string& shown() const { return name_.path; }
    /// Brings content and name to the disk. Throws Error, also where somebody else took the name.
    void publish();

private:
    NewName name_;
    std::string temporary_; ///< empty: without a name
    UniqueFd fd_;
};

/// A directory that has its name only when all in it is complete. Until then its name begins with
/// ".", and a crash leaves it so.
class NewDirectory {
public:
    explicit NewDirectory(const std::string& path);
    ~NewDirectory();
    NewDirectory(const NewDirectory&) = delete;
    NewDirectory& operator=(const NewDirectory&) = delete;

    int fd() const { return fd_.get(); }
    const std::string& shown() const { return name_.path; }
    void publish();

private:
    NewName name_;
    std::string temporary_; ///< empty once published
    UniqueFd fd_;
};

} // namespace shale
