// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <ctime>
#include <string>

#include <sys/types.h>

namespace shale::exercise {

enum class Kind {
    // that make names
    create, ///< of a regular file, which must not be there
    unnamed, ///< O_TMPFILE, written, and then linked
    make_directory,
    make_symlink,
    make_fifo,
    make_device,
    link,
    // that move and remove them
    unlink,
    rmdir,
    rename,
    // on content
    write,   ///< at an offset
    append,
    replace, ///< O_TRUNC, then write
    truncate,
    allocate,
    punch,
    map, ///< one byte through a shared mapping
    // on attributes
    chmod,
    chown,
    utimens,
    set_xattr,
    remove_xattr,
    // that change nothing
    read,
    list,
    stat,
    remount,
};

/// One step: plain data, so that a list of them can be played again, shortened, and written as a script. Paths are
/// relative to the root of the tree, and "." is that; they may lead through symbolic links. Modes of what is made are
/// as the umask 022 leaves them.
struct Operation {
    Kind kind;
    std::string path;
    std::string other{}; ///< link, rename: the new path; make_symlink: the target
    std::string name{};  ///< of an attribute
    std::string value{}; ///< of an attribute; or bytes to be written
    uint64_t offset = 0;
    uint64_t size = 0;
    mode_t mode = 0;
    uid_t uid = 0;
    gid_t gid = 0;
    dev_t device = 0;
    unsigned flags = 0; ///< RENAME_*, XATTR_*
    timespec time{};
};

/// The mask that operations are made with.
inline constexpr mode_t umask_of_operations = 022;

/// The system call, as people call it: "rename(2)".
const char* name_of(Kind kind);

/// "rename(2) of a/b to c"
std::string describe(const Operation& operation);

/// "ok" or "ENOENT".
std::string answer_text(int error);

/// The directory that @p path is in, "." for the root.
std::string parent_of(const std::string& path);
std::string last_name_of(const std::string& path);
/// The path of @p name in the directory @p directory.
std::string join_path(const std::string& directory, const std::string& name);

} // namespace shale::exercise
