// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ctime>
#include <map>
#include <memory>
#include <string>

#include <sys/stat.h>

namespace shale::exercise {

/// Extended attributes by name, but those of security modules, which are theirs to tell.
using Xattrs = std::map<std::string, std::string>;

/// What is known of a time.
enum class Changed {
    no,      ///< it is the one that was seen last
    yes,     ///< it is that of the step
    perhaps, ///< either: POSIX leaves it to the file system
};

/// One object. Names of one file share it.
struct Node {
    mode_t mode = 0; ///< with the type
    uid_t uid = 0;
    gid_t gid = 0;
    dev_t device = 0;
    nlink_t links = 1; ///< of directories: not counted here
    timespec modified{};
    Changed modified_now = Changed::no;
    bool status_changed_now = false; ///< st_ctime has to be that of the step
    ino_t number = 0;                ///< st_ino, from the first look on; 0: not seen yet
    std::string content{};           ///< of a regular file
    std::string target{};            ///< of a symbolic link
    Xattrs xattrs{};
    std::map<std::string, std::shared_ptr<Node>> children{};
    bool had_several_names = false;
    bool is_of_layers = false; ///< a directory that was there in the beginning, so that lower layers have it

    bool is_directory() const { return S_ISDIR(mode); }
    bool is_file() const { return S_ISREG(mode); }
    bool is_symlink() const { return S_ISLNK(mode); }
};

using NodePtr = std::shared_ptr<Node>;

} // namespace shale::exercise
