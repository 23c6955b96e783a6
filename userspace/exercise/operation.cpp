// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/operation.hpp"

#include <cstring>

#include <linux/fs.h>

namespace shale::exercise {

const char* name_of(Kind kind) {
    switch (kind) {
    case Kind::create: return "open(2) with O_CREAT|O_EXCL";
    case Kind::unnamed: return "open(2) with O_TMPFILE and linkat(2)";
    case Kind::make_directory: return "mkdir(2)";
    case Kind::make_symlink: return "symlink(2)";
    case Kind::make_fifo: return "mkfifo(3)";
    case Kind::make_device: return "mknod(2)";
    case Kind::link: return "link(2)";
    case Kind::unlink: return "unlink(2)";
    case Kind::rmdir: return "rmdir(2)";
    case Kind::rename: return "rename(2)";
    case Kind::write: return "pwrite(2)";
    case Kind::append: return "write(2) with O_APPEND";
    case Kind::replace: return "open(2) with O_TRUNC and write(2)";
    case Kind::truncate: return "truncate(2)";
    case Kind::allocate: return "fallocate(2)";
    case Kind::punch: return "fallocate(2) with FALLOC_FL_PUNCH_HOLE";
    case Kind::map: return "a write through mmap(2)";
    case Kind::chmod: return "chmod(2)";
    case Kind::chown: return "lchown(2)";
    case Kind::utimens: return "utimensat(2)";
    case Kind::set_xattr: return "lsetxattr(2)";
    case Kind::remove_xattr: return "lremovexattr(2)";
    case Kind::read: return "read(2)";
    case Kind::list: return "readdir(3)";
    case Kind::stat: return "lstat(2)";
    case Kind::remount: return "umount(2) and mount(2)";
    }
    return "";
}

std::string describe(const Operation& operation) {
    std::string text = name_of(operation.kind);
    if (operation.kind == Kind::remount)
        return text;
    if (operation.kind == Kind::rename && operation.flags == RENAME_NOREPLACE)
        text += " with RENAME_NOREPLACE";
    if (operation.kind == Kind::rename && operation.flags == RENAME_EXCHANGE)
        text += " with RENAME_EXCHANGE";
    text += " of " + operation.path;
    if (operation.kind == Kind::link || operation.kind == Kind::rename)
        text += " to " + operation.other;
    if (!operation.name.empty())
        text += ", " + operation.name;
    return text;
}

std::string answer_text(int error) {
    const char* name = error ? strerrorname_np(error) : "ok";
    return name ? name : "error " + std::to_string(error);
}

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string last_name_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

std::string join_path(const std::string& directory, const std::string& name) {
    return directory == "." ? name : directory + "/" + name;
}

} // namespace shale::exercise
