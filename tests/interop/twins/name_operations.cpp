// SPDX-License-Identifier: GPL-2.0-or-later
//
// Operations that make, move and remove names.
#include <cstdio>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.hpp"
#include "describe.hpp"
#include "open_file.hpp"
#include "operation.hpp"
#include "snapshot.hpp"
#include "tolerance.hpp"
#include "values.hpp"

namespace shale::twins {

namespace {

Operation make_directory(Choices& choose) {
    const std::string path = choose.place(Wish::absent);
    const mode_t mode = choose.dice.chance(60) ? 0777 : random_mode(choose.dice);
    return {words("mkdir", path, octal(mode)), {path}, [=](Side&) {
                return answer(mkdir(path.c_str(), mode));
            }};
}

Operation make_node(Choices& choose) {
    static const struct {
        const char* name;
        mode_t type;
        dev_t device;
    } kinds[] = {{"fifo", S_IFIFO, 0},
                 {"char 1:3", S_IFCHR, makedev(1, 3)},
                 {"block 7:0", S_IFBLK, makedev(7, 0)},
                 {"char 0:0", S_IFCHR, 0}, // would be a whiteout
                 {"socket", S_IFSOCK, 0},
                 {"file", S_IFREG, 0}};
    const std::string path = choose.place(Wish::absent);
    const auto kind = choose.dice.one_of(kinds);
    const mode_t mode = random_mode(choose.dice);
    return {words("mknod", path, kind.name, octal(mode)), {path}, [=](Side&) {
                return answer(mknod(path.c_str(), kind.type | mode, kind.device));
            }};
}

/// None leads out of the tree: what would be done there, would be done twice.
Operation make_symlink(Choices& choose) {
    const std::string path = choose.place(Wish::absent);
    const std::string target =
        choose.dice.chance(80) ? choose.place(Wish::anything) : "/no-such/place";
    return {words("symlink", target, path), {path, target}, [=](Side&) {
                return answer(symlink(target.c_str(), path.c_str()));
            }};
}

Operation make_link(Choices& choose) {
    const std::string from = choose.place(Wish::file), to = choose.place(Wish::absent);
    const int flags = choose.dice.chance(25) ? AT_SYMLINK_FOLLOW : 0;
    return {words("link", from, to, flags ? "FOLLOW" : ""), {from, to}, [=](Side&) {
                return answer(linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
            }};
}

Operation remove_file(Choices& choose) {
    const std::string path = choose.place(choose.dice.chance(70) ? Wish::file : Wish::anything);
    return {words("unlink", path), {path}, [=](Side&) { return answer(unlink(path.c_str())); }};
}

Operation remove_directory(Choices& choose) {
    const std::string path = choose.place(Wish::directory);
    return {words("rmdir", path), {path}, [=](Side&) { return answer(rmdir(path.c_str())); }};
}

std::string complaint(const std::string& path, int code) {
    return " " + path + " " + error_name(code);
}

std::string remove_content(const std::string& directory);

/// rm -r, which goes on where it can; returns what went wrong.
std::string remove_all(const std::string& path) {
    struct stat st {};
    if (lstat(path.c_str(), &st) != 0)
        return complaint(path, errno);
    std::string complaints;
    if (S_ISDIR(st.st_mode))
        complaints = remove_content(path);
    if ((S_ISDIR(st.st_mode) ? rmdir : unlink)(path.c_str()) != 0)
        complaints += complaint(path, errno);
    return complaints;
}

std::string remove_content(const std::string& directory) {
    std::string complaints;
    try {
        for (const std::string& name : names_in(directory))
            complaints += remove_all(directory + "/" + name);
    } catch (const Error& error) {
        complaints += complaint(directory, error.code());
    }
    return complaints;
}

Operation list(Choices& choose) {
    const std::string path = choose.place(Wish::directory);
    return {words("readdir", path), {path}, [=](Side&) {
                const UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
                return fd ? list_directory(fd.get()) : error_name(errno);
            }};
}

/// A directory with all that is in it, or only that. The root is spared, for little would be left
/// to do.
Operation remove_tree(Choices& choose) {
    const std::string path = choose.place(Wish::directory);
    if (path == ".")
        return list(choose);
    const bool stays = choose.dice.chance(50);
    return {words("rm -r", path + (stays ? "/*" : "")), {path}, [=](Side&) {
                const std::string complaints = stays ? remove_content(path) : remove_all(path);
                return complaints.empty() ? "ok" : complaints;
            }};
}

/// See Tolerance::refused_rename. What was to be renamed is copied up by it in both trees.
void set_known_times(const std::string& from, const std::string& to) {
    set_known_time(from);
    set_known_time(parent_of(from));
    set_known_time(parent_of(to));
    count(Tolerance::refused_rename);
}

Operation rename_with(Choices& choose, unsigned flags, const char* flags_text,
                      Wish target = Wish::anything) {
    const std::string from = choose.place(Wish::anything), to = choose.place(target);
    return {words("rename", from, to, flags_text), {from, to}, [=](Side&) {
                const std::string result =
                    answer(renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
                if (result == "ENOTEMPTY")
                    set_known_times(from, to);
                return result;
            }};
}

Operation replace(Choices& choose) {
    return rename_with(choose, 0, "");
}
Operation rename_plainly(Choices& choose) {
    return rename_with(choose, 0, "", Wish::absent);
}
Operation rename_to_new(Choices& choose) {
    return rename_with(choose, RENAME_NOREPLACE, "NOREPLACE", Wish::absent);
}
Operation exchange(Choices& choose) {
    return rename_with(choose, RENAME_EXCHANGE, "EXCHANGE");
}
Operation rename_with_whiteout(Choices& choose) {
    return rename_with(choose, RENAME_WHITEOUT, "WHITEOUT");
}
Operation rename_with_both(Choices& choose) {
    return rename_with(choose, RENAME_NOREPLACE | RENAME_EXCHANGE, "NOREPLACE|EXCHANGE");
}

constexpr Weighted table[] = {
    {40, make_directory},  {10, make_node},   {10, make_symlink},
    {30, make_link},       {25, remove_file}, {20, remove_directory},
    {4, remove_tree},      {30, replace},     {40, rename_plainly},
    {15, rename_to_new},   {30, exchange},    {2, rename_with_whiteout},
    {1, rename_with_both}, {15, list},
};

} // namespace

std::span<const Weighted> name_operations() {
    return table;
}

} // namespace shale::twins
