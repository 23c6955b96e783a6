// SPDX-License-Identifier: GPL-2.0-or-later
//
// Operations on owner, mode, times and extended attributes of what a name leads to.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "describe.hpp"
#include "operation.hpp"
#include "tolerance.hpp"
#include "values.hpp"

namespace shale::twins {

namespace {

/// Whether a symbolic link is followed.
int follow_or_not(Choices& choose) {
    return choose.dice.chance(40) ? 0 : AT_SYMLINK_NOFOLLOW;
}

std::string text_of(int flags) {
    return flags & AT_SYMLINK_NOFOLLOW ? "NOFOLLOW" : "";
}

Operation look(Choices& choose) {
    const std::string path = choose.place(Wish::anything);
    const int flags = follow_or_not(choose);
    return {words("stat", path, text_of(flags)), {path}, [=](Side&) {
                struct stat st {};
                if (fstatat(AT_FDCWD, path.c_str(), &st, flags) != 0)
                    return error_name(errno);
                return describe(st, Times::recent_ones_alike);
            }};
}

Operation ask_access(Choices& choose) {
    const std::string path = choose.place(Wish::anything);
    const int mode = static_cast<int>(choose.dice.pick(8));
    return {words("access", path, octal(static_cast<mode_t>(mode))), {path}, [=](Side&) {
                return answer(faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS));
            }};
}

Operation read_link(Choices& choose) {
    const std::string path = choose.place(Wish::anything);
    return {words("readlink", path), {path}, [=](Side&) {
                char target[4096];
                const ssize_t size = readlink(path.c_str(), target, sizeof target);
                return size < 0 ? error_name(errno)
                                : std::string(target, static_cast<size_t>(size));
            }};
}

Operation change_mode(Choices& choose) {
    const std::string path = choose.place(Wish::anything);
    const mode_t mode = random_mode(choose.dice);
    return {words("chmod", path, octal(mode)), {path}, [=](Side&) {
                return answer(fchmodat(AT_FDCWD, path.c_str(), mode, 0));
            }};
}

Operation change_owner(Choices& choose) {
    const std::string path = choose.place(Wish::anything);
    const uid_t uid = random_owner(choose.dice), gid = random_owner(choose.dice);
    const int flags = follow_or_not(choose);
    return {words("chown", path, std::to_string(uid) + ":" + std::to_string(gid), text_of(flags)),
            {path},
            [=](Side&) { return answer(fchownat(AT_FDCWD, path.c_str(), uid, gid, flags)); }};
}

Operation change_times(Choices& choose) {
    const std::string path = choose.place(Wish::anything);
    const int flags = follow_or_not(choose);
    const bool now = choose.dice.chance(20);
    const timespec time = now ? timespec{0, UTIME_NOW} : random_time(choose.dice);
    return {words("utimensat", path, now ? "now" : std::to_string(time.tv_sec), text_of(flags)),
            {path},
            [=](Side&) {
                const timespec times[2] = {{0, UTIME_OMIT}, time};
                return answer(utimensat(AT_FDCWD, path.c_str(), times, flags));
            }};
}

std::string set_flags_text(int flags) {
    return flags == XATTR_CREATE ? "CREATE" : flags == XATTR_REPLACE ? "REPLACE" : "";
}

/// When @p flags make setxattr(2) fail, overlayfs has copied up all the same, and the links of directories tell
/// that. See Tolerance::refused_xattr. A change of nothing copies up in both trees.
void copy_up_refused(const std::string& path, bool follow) {
    if (fchownat(AT_FDCWD, path.c_str(), static_cast<uid_t>(-1), static_cast<gid_t>(-1),
                 follow ? 0 : AT_SYMLINK_NOFOLLOW) == 0)
        count(Tolerance::refused_xattr);
}

/// @p flags are those of setxattr(2).
Operation set_xattr_to(const std::string& path, const Xattr& xattr, int flags, bool follow) {
    const auto set = follow ? setxattr : lsetxattr;
    return {words(follow ? "setxattr" : "lsetxattr", path, xattr.name, describe_bytes(xattr.value),
                  set_flags_text(flags)),
            {path},
            [=](Side&) {
                const std::string result = answer(set(path.c_str(), xattr.name.c_str(),
                                                      xattr.value.data(), xattr.value.size(), flags));
                if (flags != 0 && (result == "EEXIST" || result == "ENODATA"))
                    copy_up_refused(path, follow);
                return result;
            }};
}

Operation set_xattr(Choices& choose) {
    static constexpr int flags[] = {0, 0, XATTR_CREATE, XATTR_REPLACE};
    const std::string path = choose.place(Wish::anything);
    const Xattr xattr = random_xattr(choose.dice);
    const int flag = choose.dice.one_of(flags);
    return set_xattr_to(path, xattr, flag, choose.dice.chance(40));
}

Operation set_acl(Choices& choose) {
    const std::string path = choose.place(Wish::anything);
    const Xattr acl{random_acl_name(choose.dice), random_acl_or_nonsense(choose.dice)};
    return set_xattr_to(path, acl, 0, choose.dice.chance(40));
}

Operation remove_xattr(Choices& choose) {
    const std::string path = choose.place(Wish::anything);
    const std::string name =
        choose.dice.chance(25) ? random_acl_name(choose.dice) : random_xattr(choose.dice).name;
    return {words("lremovexattr", path, name), {path}, [=](Side&) {
                return answer(lremovexattr(path.c_str(), name.c_str()));
            }};
}

Operation get_xattr(Choices& choose) {
    const std::string path = choose.place(Wish::anything);
    const std::string name = random_xattr(choose.dice).name;
    return {words("lgetxattr", path, name), {path}, [=](Side&) {
                char value[512];
                const ssize_t size = lgetxattr(path.c_str(), name.c_str(), value, sizeof value);
                return size < 0 ? error_name(errno)
                                : describe_bytes(std::string(value, static_cast<size_t>(size)));
            }};
}

Operation list_xattrs(Choices& choose) {
    const std::string path = choose.place(Wish::anything);
    return {words("llistxattr", path), {path}, [=](Side&) { return describe_xattrs(path); }};
}

constexpr Weighted table[] = {
    {15, look},         {8, ask_access},    {5, read_link},   {15, change_mode},
    {12, change_owner}, {10, change_times}, {25, set_xattr},  {12, set_acl},
    {12, remove_xattr}, {5, get_xattr},     {5, list_xattrs},
};

} // namespace

std::span<const Weighted> attribute_operations() {
    return table;
}

} // namespace shale::twins
