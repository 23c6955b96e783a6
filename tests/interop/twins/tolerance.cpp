// SPDX-License-Identifier: GPL-2.0-or-later
#include "tolerance.hpp"

#include <cstdio>
#include <map>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "describe.hpp"
#include "open_file.hpp"
#include "snapshot.hpp"

namespace shale::twins {

namespace {

std::map<Tolerance, unsigned> counts;

const char* name(Tolerance tolerance) {
    switch (tolerance) {
    case Tolerance::listed_whiteout: return "whiteouts that overlayfs lists";
    case Tolerance::change_of_removed: return "changes of removed lower files through a descriptor";
    case Tolerance::links_of_removed: return "links of removed directories and lower files";
    case Tolerance::time_of_content:
        return "files that got a known time when they were opened for writing";
    case Tolerance::whiteouts_of_nothing:
        return "directories with whiteouts of nothing, where the run ended";
    case Tolerance::copy_between_file_systems:
        return "copies between layers on two file systems";
    case Tolerance::refused_rename:
        return "directories that got a known time after a refused rename";
    case Tolerance::refused_xattr: return "objects copied up after a refused setxattr";
    case Tolerance::number_of_link: return "hard links that are listed with another number";
    }
    return "";
}

/// Whether two descriptions differ in nothing but that there is no link, or one.
bool has_one_link_less(std::string ours, const std::string& theirs) {
    static const std::string none = " nlink=0 ", one = " nlink=1 ";
    const size_t at = ours.find(none);
    return at != std::string::npos && ours.replace(at, none.size(), one) == theirs;
}

/// What Shale may answer to a change of a removed lower file.
bool is_answer_of_removed(int fd, const std::string& ours) {
    struct stat st {};
    return !is_error(ours) || (ours == "ESTALE" && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode));
}

} // namespace

bool is_overlayfs(int fd) {
    struct statfs info {};
    return fstatfs(fd, &info) == 0 && info.f_type == OVERLAYFS_SUPER_MAGIC;
}

bool is_tolerated(const Operation& operation, const Side& tree, const std::string& ours,
                  const std::string& theirs) {
    const int fd = operation.slot < 0 ? -1 : tree.held[static_cast<size_t>(operation.slot)].get();
    const bool is_through_removed = fd >= 0 && is_deleted(fd);
    if (is_through_removed && is_answer_of_removed(fd, ours) && (theirs == "EEXIST" || theirs == "ENOENT")) {
        count(Tolerance::change_of_removed);
        return true;
    }
    if (is_through_removed && has_one_link_less(ours, theirs)) {
        count(Tolerance::links_of_removed);
        return true;
    }
    return false;
}

void correct_links(int fd, struct stat& st) {
    if (!S_ISDIR(st.st_mode) || st.st_nlink != 1 || !is_overlayfs(fd) || !is_deleted(fd))
        return;
    count(Tolerance::links_of_removed);
    st.st_nlink = 0;
}

bool do_trees_part(const Operation& operation, const Side& twin, const std::string& ours,
                   const std::string& theirs) {
    if (ours != "ok" || theirs.find("ENOTEMPTY") == std::string::npos ||
        !is_overlayfs(twin.root.get()))
        return false;
    // "rm -r" names the directory first that the others are in the way for; else it is the last
    // path.
    const size_t end = theirs.find(' ', 1);
    const std::string path =
        end == std::string::npos ? operation.paths.back() : theirs.substr(1, end - 1);
    const UniqueFd fd = open_file(path, O_RDONLY | O_DIRECTORY);
    if (!fd || list_directory(fd.get()) != "[ ]")
        return false;
    count(Tolerance::whiteouts_of_nothing);
    return true;
}

void count(Tolerance tolerance) {
    ++counts[tolerance];
}

void print_counts() {
    for (const auto& [tolerance, number] : counts)
        std::printf("tolerated: %s: %u\n", name(tolerance), number);
}

} // namespace shale::twins
