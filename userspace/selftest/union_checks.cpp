// SPDX-License-Identifier: LGPL-2.1-or-later
#include "selftest/union_checks.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/names_in.hpp"
#include "base/xattr.hpp"
#include "ondisk/marks.hpp"
#include "selftest/base_checks.hpp"

namespace shale::selftest {

namespace {

// What was seen instead of what should be; for people.
void expect(bool holds, const std::string& otherwise) {
    if (!holds)
        throw Error("seen", otherwise);
}

void write_text(const std::string& path, const std::string& text) {
    const UniqueFd fd = open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write_all_at(fd.get(), text.data(), text.size(), 0, path);
}

std::string read_text(int fd, const std::string& path) {
    std::string text(4096, '\0');
    if (lseek(fd, 0, SEEK_SET) < 0)
        throw Error::from_errno(path, errno);
    text.resize(read_some(fd, text.data(), text.size(), path));
    return text;
}

std::string read_text(const std::string& path) {
    return read_text(open_at(AT_FDCWD, path, O_RDONLY).get(), path);
}

void expect_text(const std::string& path, const std::string& wanted) {
    const std::string text = read_text(path);
    expect(text == wanted, path + " holds \"" + text + "\", not \"" + wanted + "\"");
}

bool exists(const std::string& path) {
    return stat_at(AT_FDCWD, path).has_value();
}

struct stat look_at(const std::string& path) {
    const auto st = stat_at(AT_FDCWD, path);
    expect(st.has_value(), path + " is not there");
    return *st;
}

/// What libc calls return, or an Error that names @p doing.
void done(int ret, const std::string& doing) {
    if (ret < 0)
        throw Error::from_errno(doing, errno);
}

void make_dir(const std::string& path) {
    make_directory_at(AT_FDCWD, path, 0755);
}

void expect_whiteout(const std::string& path) {
    const auto st = look_at(path);
    expect(ondisk::is_whiteout_device(st.st_mode, st.st_rdev), path + " is no whiteout");
}

// The checks. Each has names of its own, and finds the layers as make_layers() has made them.

void look_up(const Place& place) {
    expect_text(place.merged() + "/both", "top");
    expect_text(place.merged() + "/only-low", "low");
    expect(!exists(place.merged() + "/nowhere"), "a name that no layer has");
}

void list(const Place& place) {
    auto names = names_in(open_at(AT_FDCWD, place.merged() + "/directory", O_RDONLY | O_DIRECTORY).get());
    std::sort(names.begin(), names.end());
    expect(names == std::vector<std::string>{"both", "low", "top"},
           std::to_string(names.size()) + " names in a directory of two layers that have three");
}

void hide(const Place& place) {
    expect(!exists(place.merged() + "/whiteout"), "the name that a whiteout hides");
    expect(!exists(place.merged() + "/opaque/hidden"), "what lies below an opaque directory");
}

void copy_up(const Place& place) {
    const std::string path = place.merged() + "/written";
    const UniqueFd before = open_at(AT_FDCWD, path, O_RDONLY);
    const auto inode = look_at(path).st_ino;
    write_text(path, "changed");
    expect_text(path, "changed");
    expect_text(place.upper() + "/written", "changed");
    expect_text(place.low() + "/written", "low");
    expect(read_text(before.get(), path) == "changed", "the old text through a descriptor that was open before");
    expect(look_at(path).st_ino == inode, "another inode number after the first write");
}

void change_attributes(const Place& place) {
    const std::string path = place.merged() + "/large";
    done(chmod(path.c_str(), 0600), "chmod(2) of a lower file");
    expect((look_at(path).st_mode & 07777) == 0600, "the old mode after chmod(2)");
    expect((look_at(place.low() + "/large").st_mode & 07777) == 0644, "a changed lower file");
    expect(static_cast<uint64_t>(look_at(path).st_size) == 1U << 20, "another size after chmod(2)");
}

void map(const Place& place) {
    const std::string path = place.merged() + "/mapped";
    const UniqueFd fd = open_at(AT_FDCWD, path, O_RDWR);
    void* at = mmap(nullptr, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    expect(at != MAP_FAILED, "mmap(2) of a file that is open for writing fails");
    static_cast<char*>(at)[0] = 'L';
    munmap(at, 3);
    expect_text(path, "Low");
}

void append(const Place& place) {
    const std::string path = place.merged() + "/appended";
    const UniqueFd fd = open_at(AT_FDCWD, path, O_WRONLY | O_APPEND);
    done(static_cast<int>(write(fd.get(), "er", 2)), "write(2) with O_APPEND");
    done(fsync(fd.get()), "fsync(2)");
    expect_text(path, "lower");
    done(truncate(path.c_str(), 1), "truncate(2)");
    expect_text(path, "l");
}

void remove(const Place& place) {
    const std::string name = "/removed";
    done(unlink((place.merged() + name).c_str()), "unlink(2) of a lower file");
    expect(!exists(place.merged() + name), "a removed file");
    expect_whiteout(place.upper() + name);
    write_text(place.merged() + name, "again");
    expect_text(place.merged() + name, "again");
}

void replace_directory(const Place& place) {
    const std::string path = place.merged() + "/replaced";
    done(unlink((path + "/file").c_str()), "unlink(2) in a lower directory");
    done(rmdir(path.c_str()), "rmdir(2) of a lower directory");
    expect_whiteout(place.upper() + "/replaced");
    make_dir(path);
    expect(!exists(path + "/file"), "in a new directory, what was in the old one");
}

/// Where redirects are off, programs are told to copy.
void rename_directory(const Place& place) {
    const std::string from = place.merged() + "/old-name", to = place.merged() + "/new-name";
    if (rename(from.c_str(), to.c_str()) < 0) {
        expect(errno == EXDEV && !can_mark_as_trusted(place.upper()), "rename(2) of a lower directory fails");
        return;
    }
    expect_text(to + "/file", "low");
    expect(!exists(from), "a directory that was renamed");
}

void rename_file(const Place& place) {
    done(rename((place.merged() + "/from").c_str(), (place.merged() + "/to").c_str()), "rename(2) of a lower file");
    expect_text(place.merged() + "/to", "low");
    expect(!exists(place.merged() + "/from"), "a file that was renamed");
}

void link_file(const Place& place) {
    const std::string old = place.merged() + "/linked", fresh = place.merged() + "/link";
    done(link(old.c_str(), fresh.c_str()), "link(2) of a lower file");
    expect(look_at(old).st_ino == look_at(fresh).st_ino && look_at(old).st_nlink == 2, "two files instead of two names of one");
}

void make_others(const Place& place) {
    const std::string dir = place.merged() + "/directory";
    done(symlink("low", (dir + "/symlink").c_str()), "symlink(2)");
    expect_text(dir + "/symlink", "low");
    done(mkfifo((dir + "/fifo").c_str(), 0600), "mkfifo(3)");
    expect(S_ISFIFO(look_at(dir + "/fifo").st_mode), "a fifo of another type");
}

void keep_xattrs(const Place& place) {
    const std::string path = place.merged() + "/xattr";
    const int error = XattrTarget(AT_FDCWD, path).set("user.note", "text");
    if (error == EOPNOTSUPP)
        return;
    expect(error == 0, "an attribute cannot be set");
    expect(XattrTarget(AT_FDCWD, path).get("user.note") == "text", "another value of an attribute");
    expect(XattrTarget(AT_FDCWD, path).names() == std::vector<std::string>{"user.note"}, "attributes that nobody has set");
}

void watch(const Place& place) {
    const std::string path = place.merged() + "/watched";
    const UniqueFd notify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    done(inotify_add_watch(notify.get(), path.c_str(), IN_MODIFY), "inotify_add_watch(2)");
    write_text(path, "new");
    pollfd waiting{notify.get(), POLLIN, 0};
    expect(poll(&waiting, 1, 1000) == 1, "no event of inotify for the first write to a lower file");
}

void lock(const Place& place) {
    const std::string path = place.merged() + "/locked";
    const UniqueFd reader = open_at(AT_FDCWD, path, O_RDONLY), writer = open_at(AT_FDCWD, path, O_RDWR);
    done(flock(reader.get(), LOCK_EX | LOCK_NB), "flock(2)");
    expect(flock(writer.get(), LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK,
           "two locks of one file, taken before and after it was copied up");
}

void tell_space(const Place& place) {
    struct statvfs shown{}, base{};
    done(statvfs(place.merged().c_str(), &shown), "statvfs(3)");
    done(statvfs(place.upper().c_str(), &base), "statvfs(3)");
    expect(shown.f_blocks > 0 && shown.f_blocks == base.f_blocks, "another size than that of the upper's file system");
}

void sync(const Place& place) {
    done(syncfs(open_at(AT_FDCWD, place.merged(), O_RDONLY | O_DIRECTORY).get()), "syncfs(2)");
}

constexpr struct {
    const char* name;
    void (*run)(const Place&);
} checks[] = {
    {"a name is found in the top-most layer that has it", look_up},
    {"a directory of several layers lists each name once", list},
    {"whiteouts and opaque directories hide", hide},
    {"the first write copies up, and leaves the lower file as it is", copy_up},
    {"chmod(2) of a lower file changes the mount's, not the layer's", change_attributes},
    {"a lower file is written through a mapping", map},
    {"O_APPEND, truncate(2), fsync(2)", append},
    {"a lower file is removed, by a whiteout, and made again", remove},
    {"a lower directory is removed and made again, empty", replace_directory},
    {"a lower file is renamed", rename_file},
    {"a lower directory is renamed, or programs are told to copy it", rename_directory},
    {"a lower file gets another name", link_file},
    {"symbolic links and fifos", make_others},
    {"extended attributes", keep_xattrs},
    {"inotify sees the first write", watch},
    {"locks hold over the copy-up", lock},
    {"statfs(2) tells the space of the upper", tell_space},
    {"syncfs(2)", sync},
};

void run_check(const std::string& name, const std::function<void()>& run, const Report& report) {
    try {
        run();
    } catch (const Error& error) {
        report({name, Verdict::fails, error.what()});
        return;
    }
    report({name, Verdict::works});
}

} // namespace

mounting::Stack Place::stack() const {
    mounting::Stack stack;
    stack.lowers = {top(), low()};
    stack.upper = upper();
    stack.work = work();
    stack.source = "selftest";
    if (!can_mark_as_trusted(upper()))
        stack.options = {"userxattr"};
    return stack;
}

void make_layers(const Place& place) {
    for (const std::string& dir : {place.low(), place.top(), place.upper(), place.work(), place.merged()})
        make_dir(dir);
    for (const char* name : {"both", "only-low", "whiteout", "written", "mapped", "appended", "removed", "from", "linked", "xattr",
                             "watched", "locked"})
        write_text(place.low() + "/" + name, "low");
    write_text(place.low() + "/large", std::string(1U << 20, 'x'));
    write_text(place.top() + "/both", "top");
    if (mknod((place.top() + "/whiteout").c_str(), S_IFCHR, makedev(0, 0)) < 0)
        throw Error::from_errno(place.top() + "/whiteout", errno, "choose a directory on another file system");

    for (const std::string& layer : {place.low(), place.top()}) {
        for (const char* dir : {"/directory", "/opaque"})
            make_dir(layer + dir);
        write_text(layer + "/directory/both", "both");
    }
    write_text(place.low() + "/directory/low", "low");
    write_text(place.top() + "/directory/top", "top");
    write_text(place.low() + "/opaque/hidden", "hidden");
    const std::string marks = can_mark_as_trusted(place.upper()) ? "trusted.overlay." : "user.overlay.";
    if (const int error = XattrTarget(AT_FDCWD, place.top() + "/opaque").set(marks + "opaque", "y"))
        throw Error::from_errno(place.top() + "/opaque", error, "choose a directory on another file system");
    for (const char* dir : {"/replaced", "/old-name"}) {
        make_dir(place.low() + dir);
        write_text(place.low() + dir + "/file", "low");
    }
}

void check_union(const Place& place, const std::function<void()>& mount_again, const Report& report) {
    for (const auto& check : checks)
        run_check(check.name, [&] { check.run(place); }, report);
    run_check("what was changed is there after mounting again", [&] {
        mount_again();
        expect_text(place.merged() + "/written", "changed");
        expect_text(place.merged() + "/removed", "again");
        expect_text(place.merged() + "/to", "low");
        expect(!exists(place.merged() + "/replaced/file"), "what was removed");
    }, report);
}

} // namespace shale::selftest
