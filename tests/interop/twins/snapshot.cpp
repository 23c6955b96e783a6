// SPDX-License-Identifier: GPL-2.0-or-later
#include "snapshot.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "caller.hpp"
#include "tolerance.hpp"

namespace shale::twins {

namespace {

struct Entry {
    std::string name;
    ino_t inode;
    unsigned char type;

    bool operator<(const Entry& other) const { return name < other.name; }
};

/// overlayfs lists them in some directories, those by attribute as well.
void leave_out_whiteouts(int fd, std::vector<Entry>& entries) {
    if (!is_overlayfs(fd))
        return;
    const AsCaller root({});
    std::erase_if(entries, [&](const Entry& entry) {
        struct stat st {};
        const bool may_be_whiteout = entry.type == DT_CHR || entry.type == DT_REG;
        const bool absent = may_be_whiteout &&
                            fstatat(fd, entry.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0 &&
                            errno == ENOENT;
        if (absent)
            count(Tolerance::listed_whiteout);
        return absent;
    });
}

/// Of a hard link, overlayfs may list another number than stat(2) shows.
bool is_tolerated(const struct stat& st) {
    const UniqueFd root(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (S_ISDIR(st.st_mode) || st.st_nlink == 1 || !is_overlayfs(root.get()))
        return false;
    count(Tolerance::number_of_link);
    return true;
}

/// Leaves errno set where it ended early.
std::vector<Entry> read_entries(int fd) {
    std::vector<Entry> entries;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(fdopendir(dup(fd)), closedir);
    if (!directory)
        return entries;
    rewinddir(directory.get());
    errno = 0;
    while (const dirent* entry = readdir(directory.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..")
            entries.push_back({name, entry->d_ino, entry->d_type});
    }
    const int code = errno;
    std::sort(entries.begin(), entries.end());
    leave_out_whiteouts(fd, entries);
    errno = code;
    return entries;
}

class Walk {
public:
    explicit Walk(const View& view) : view_(view) {}

    Snapshot run() {
        struct stat st {};
        if (lstat(".", &st) != 0)
            throw Error::from_errno(".", errno);
        add(".", st, "");
        return std::move(seen_);
    }

private:
    void add(const std::string& path, const struct stat& st, const std::string& remarks) {
        std::string& words = seen_[path];
        words += describe(st, view_.times) + remarks;
        if (view_.inode_numbers)
            words += " inode=" + std::to_string(st.st_ino);
        if (view_.identities && !S_ISDIR(st.st_mode) && st.st_nlink > 1)
            words += " same-as=" +
                     first_names_.emplace(std::pair(st.st_dev, st.st_ino), path).first->second;
        words += describe_xattrs(path);
        if (S_ISLNK(st.st_mode))
            words += " to=" + target(path);
        else if (S_ISREG(st.st_mode))
            words += " " + content(path);
        else if (S_ISDIR(st.st_mode))
            descend(path);
    }

    void descend(const std::string& path) {
        const UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        errno = fd ? 0 : errno;
        const auto entries = fd ? read_entries(fd.get()) : std::vector<Entry>();
        if (errno)
            seen_[path] += " UNREADABLE " + error_name(errno);
        for (const Entry& entry : entries)
            add_entry(path == "." ? entry.name : path + "/" + entry.name, entry);
    }

    void add_entry(const std::string& path, const Entry& entry) {
        if (seen_.contains(path)) {
            seen_[path] += " LISTED-TWICE";
            return;
        }
        struct stat st {};
        if (lstat(path.c_str(), &st) != 0) {
            seen_[path] = "LISTED, BUT " + error_name(errno);
            return;
        }
        std::string remarks;
        if (entry.type != DT_UNKNOWN && entry.type != IFTODT(st.st_mode))
            remarks += " WRONG-TYPE-IN-LIST";
        if (view_.one_file_system && entry.inode != st.st_ino && !is_tolerated(st))
            remarks += " WRONG-INODE-IN-LIST";
        add(path, st, remarks);
    }

    static std::string target(const std::string& path) {
        char buffer[4096];
        const ssize_t size = readlink(path.c_str(), buffer, sizeof buffer);
        return size < 0 ? error_name(errno) : std::string(buffer, static_cast<size_t>(size));
    }

    static std::string content(const std::string& path) {
        const UniqueFd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        return fd ? describe_content(fd.get()) : error_name(errno);
    }

    View view_;
    Snapshot seen_;
    std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
};

} // namespace

Snapshot take_snapshot(const View& view) {
    return Walk(view).run();
}

std::string list_directory(int fd) {
    const auto entries = read_entries(fd);
    if (errno)
        return error_name(errno);
    std::string text = "[";
    for (const Entry& entry : entries)
        text += " " + entry.name + (entry.type == DT_DIR ? "/" : entry.type == DT_LNK ? "@" : "");
    return text + " ]";
}

std::vector<std::string> names_in(const std::string& path) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    errno = fd ? 0 : errno;
    std::vector<std::string> names;
    for (const Entry& entry : fd ? read_entries(fd.get()) : std::vector<Entry>())
        names.push_back(entry.name);
    if (errno)
        throw Error::from_errno(path, errno);
    return names;
}

} // namespace shale::twins
