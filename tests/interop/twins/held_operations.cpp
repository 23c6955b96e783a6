// SPDX-License-Identifier: GPL-2.0-or-later
//
// Operations through descriptors that were opened earlier, and may have seen their object copied
// up, renamed or removed since; and unnamed files.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "describe.hpp"
#include "open_file.hpp"
#include "operation.hpp"
#include "snapshot.hpp"
#include "tolerance.hpp"
#include "values.hpp"

namespace shale::twins {

namespace {

Operation open_and_hold(Choices& choose, const std::string& path, int flags, mode_t mode) {
    const unsigned slot = choose.dice.pick(Side::slots);
    choose.held_paths[slot] = path;
    return {words("hold", std::to_string(slot), path, open_flags_text(flags), octal(mode)),
            {path},
            [=](Side& side) {
                side.held[slot].reset();
                side.held[slot] = open_file(path, flags, mode);
                return side.held[slot] ? "ok" : error_name(errno);
            }};
}

Operation hold(Choices& choose) {
    static constexpr int ways[] = {
        O_RDONLY, O_RDONLY, O_RDWR, O_RDWR | O_CREAT, O_WRONLY | O_APPEND, O_PATH | O_NOFOLLOW};
    const int flags = choose.dice.one_of(ways);
    const Wish wish = flags & O_CREAT                       ? Wish::absent
                      : flags & O_PATH || flags == O_RDONLY ? Wish::anything
                                                            : Wish::file;
    return open_and_hold(choose, choose.place(wish), flags, flags & O_CREAT ? 0644 : 0);
}

Operation hold_unnamed(Choices& choose) {
    const int flags = O_TMPFILE | (choose.dice.chance(80) ? O_RDWR : O_WRONLY) |
                      (choose.dice.chance(20) ? O_EXCL : 0);
    return open_and_hold(choose, choose.place(Wish::directory), flags, random_mode(choose.dice));
}

/// Something through the descriptor in a slot that has one.
template <class Use>
Operation through(unsigned slot, const Choices& choose, const std::string& text, Use use) {
    return {words("held", std::to_string(slot), "(" + choose.held_paths[slot] + ")", text),
            {choose.held_paths[slot]},
            [=](Side& side) { return use(side.held[slot].get()); },
            static_cast<int>(slot)};
}

/// One with an open descriptor, to a directory or not as is wished, if there is one.
unsigned pick_slot(Choices& choose, Wish wish = Wish::anything) {
    const auto fits = [&](unsigned slot) {
        struct stat st {};
        return fstat(choose.tree.held[slot].get(), &st) == 0 &&
               (wish == Wish::anything || S_ISDIR(st.st_mode) == (wish == Wish::directory));
    };
    unsigned slot = choose.dice.pick(Side::slots);
    for (unsigned tries = 0; !fits(slot) && tries < Side::slots; ++tries)
        slot = (slot + 1) % Side::slots;
    return slot;
}

Operation stat_held(Choices& choose) {
    return through(pick_slot(choose), choose, "fstat", [](int fd) {
        struct stat st {};
        if (fstat(fd, &st) != 0)
            return error_name(errno);
        correct_links(fd, st);
        return describe(st, Times::recent_ones_alike);
    });
}

/// A lower file whose name was removed cannot be changed through a descriptor in overlayfs
/// (EEXIST), in Shale it can (docs/differences.md, "changing a removed lower file through its
/// descriptor"). A descriptor for writing has copied it up before, and is fine. Where other names
/// remain, they would differ from then on, so that the whole operation is left out; where none
/// does, see tolerance.cpp.
bool may_be_changed(int fd) {
    struct stat st {};
    const int flags = fcntl(fd, F_GETFL);
    const bool for_writing = !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY;
    return for_writing || fstat(fd, &st) != 0 || st.st_nlink == 0 || !is_deleted(fd);
}

/// As through(), for what changes the object.
template <class Use>
Operation changing(Choices& choose, const std::string& text, Use use, Wish wish = Wish::anything) {
    const unsigned slot = pick_slot(choose, wish);
    if (choose.tree.held[slot] && !may_be_changed(choose.tree.held[slot].get()))
        return stat_held(choose);
    return through(slot, choose, text, use);
}

Operation let_go(Choices& choose) {
    const unsigned slot = pick_slot(choose);
    return {words("close", std::to_string(slot)), {choose.held_paths[slot]}, [=](Side& side) {
                side.held[slot].reset();
                return std::string("ok");
            }};
}

Operation write_held(Choices& choose) {
    const std::string data = random_data(choose.dice);
    const off_t offset = choose.dice.pick(5000);
    return changing(
        choose, words("pwrite", std::to_string(offset), describe_bytes(data)),
        [=](int fd) {
            const ssize_t size = pwrite(fd, data.data(), data.size(), offset);
            return size < 0 ? error_name(errno) : std::to_string(size);
        },
        Wish::file);
}

Operation read_held(Choices& choose) {
    return through(pick_slot(choose, Wish::file), choose, "read",
                   [](int fd) { return describe_content(fd); });
}

Operation list_held(Choices& choose) {
    return through(pick_slot(choose, Wish::directory), choose, "readdir",
                   [](int fd) { return list_directory(fd); });
}

Operation cut_held(Choices& choose) {
    const off_t size = choose.dice.pick(6000);
    return changing(
        choose, words("ftruncate", std::to_string(size)),
        [=](int fd) { return answer(ftruncate(fd, size)); }, Wish::file);
}

Operation change_mode_held(Choices& choose) {
    const mode_t mode = random_mode(choose.dice);
    return changing(choose, words("fchmod", octal(mode)),
                    [=](int fd) { return answer(fchmod(fd, mode)); });
}

Operation change_owner_held(Choices& choose) {
    const uid_t uid = random_owner(choose.dice), gid = random_owner(choose.dice);
    return changing(
        choose, words("fchownat", std::to_string(uid) + ":" + std::to_string(gid), "EMPTY_PATH"),
        [=](int fd) { return answer(fchownat(fd, "", uid, gid, AT_EMPTY_PATH)); });
}

Operation change_times_held(Choices& choose) {
    const timespec time = random_time(choose.dice);
    return changing(choose, words("futimens", std::to_string(time.tv_sec)), [=](int fd) {
        const timespec times[2] = {{0, UTIME_OMIT}, time};
        return answer(futimens(fd, times));
    });
}

Operation set_xattr_held(Choices& choose) {
    const Xattr xattr = choose.dice.chance(70) ? random_xattr(choose.dice)
                                               : Xattr{random_acl_name(choose.dice),
                                                       random_acl_or_nonsense(choose.dice)};
    return changing(choose, words("fsetxattr", xattr.name, describe_bytes(xattr.value)),
                    [=](int fd) {
                        return answer(fsetxattr(fd, xattr.name.c_str(), xattr.value.data(),
                                                xattr.value.size(), 0));
                    });
}

Operation remove_xattr_held(Choices& choose) {
    const std::string name = random_xattr(choose.dice).name;
    return changing(choose, words("fremovexattr", name),
                    [=](int fd) { return answer(fremovexattr(fd, name.c_str())); });
}

Operation list_xattrs_held(Choices& choose) {
    return through(pick_slot(choose), choose, "flistxattr",
                   [](int fd) { return describe_xattrs(fd); });
}

Operation sync_held(Choices& choose) {
    return through(pick_slot(choose), choose, "fsync", [](int fd) { return answer(fsync(fd)); });
}

/// Gives a name to an unnamed file, or another one to what was opened by name.
Operation link_held(Choices& choose) {
    const std::string to = choose.place(Wish::absent);
    const bool by_proc = choose.dice.chance(50);
    Operation operation = changing(
        choose, words("link", to, by_proc ? "by /proc" : "EMPTY_PATH"),
        [=](int fd) {
            const std::string link = "/proc/self/fd/" + std::to_string(fd);
            return answer(
                by_proc ? linkat(AT_FDCWD, link.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW)
                        : linkat(fd, "", AT_FDCWD, to.c_str(), AT_EMPTY_PATH));
        },
        Wish::file);
    operation.paths.push_back(to);
    return operation;
}

/// Whether a name leads to the same object as the descriptor does.
Operation compare_held(Choices& choose) {
    const std::string path =
        choose.dice.chance(50) ? choose.held_paths[0] : choose.place(Wish::anything);
    return through(pick_slot(choose), choose, words("is", path), [=](int fd) {
        struct stat one {
        }, other{};
        if (fstat(fd, &one) != 0 || lstat(path.c_str(), &other) != 0)
            return error_name(errno);
        return std::string(one.st_dev == other.st_dev && one.st_ino == other.st_ino ? "the same"
                                                                                    : "another");
    });
}

constexpr const char* child_names[] = {"a", "b", "c"};

/// In a directory that may be gone, or elsewhere, by now.
Operation make_directory_in_held(Choices& choose) {
    const std::string name = choose.dice.one_of(child_names);
    return through(pick_slot(choose, Wish::directory), choose, words("mkdirat", name),
                   [=](int fd) { return answer(mkdirat(fd, name.c_str(), 0755)); });
}

Operation create_in_held(Choices& choose) {
    const std::string name = choose.dice.one_of(child_names);
    return through(pick_slot(choose, Wish::directory), choose,
                   words("openat", name, "WRONLY|CREAT"), [=](int fd) {
                       return answer(
                           UniqueFd(openat(fd, name.c_str(),
                                           O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0644))
                               .get());
                   });
}

Operation remove_in_held(Choices& choose) {
    const std::string name = choose.dice.one_of(child_names);
    const int flags = choose.dice.chance(40) ? AT_REMOVEDIR : 0;
    return through(pick_slot(choose, Wish::directory), choose,
                   words("unlinkat", name, flags ? "REMOVEDIR" : ""),
                   [=](int fd) { return answer(unlinkat(fd, name.c_str(), flags)); });
}

Operation rename_from_held(Choices& choose) {
    const std::string name = choose.dice.one_of(child_names), to = choose.place(Wish::absent);
    Operation operation =
        through(pick_slot(choose, Wish::directory), choose, words("renameat", name, to),
                [=](int fd) { return answer(renameat(fd, name.c_str(), AT_FDCWD, to.c_str())); });
    operation.paths.push_back(to);
    return operation;
}

constexpr Weighted identity_table[] = {{6, compare_held}};

constexpr Weighted table[] = {
    {25, hold},
    {12, hold_unnamed},
    {2, let_go},
    {8, stat_held},
    {8, write_held},
    {8, read_held},
    {5, list_held},
    {5, cut_held},
    {5, change_mode_held},
    {4, change_owner_held},
    {4, change_times_held},
    {6, set_xattr_held},
    {4, remove_xattr_held},
    {4, list_xattrs_held},
    {2, sync_held},
    {12, link_held},
    {4, make_directory_in_held},
    {4, create_in_held},
    {4, remove_in_held},
    {4, rename_from_held},
};

} // namespace

std::span<const Weighted> held_operations() {
    return table;
}

std::span<const Weighted> identity_operations() {
    return identity_table;
}

} // namespace shale::twins
