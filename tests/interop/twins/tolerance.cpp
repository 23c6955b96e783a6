// SPDX-License-Identifier: GPL-2.0-or-later
#include "tolerance.hpp"

#include <cstdio>
#include <map>

#include <linux/magic.h>
#include <sys/vfs.h>

namespace shale::twins {

namespace {

std::map<Tolerance, unsigned> counts;

const char* name(Tolerance tolerance) {
    switch (tolerance) {
    case Tolerance::listed_whiteout: return "whiteouts that overlayfs lists";
    case Tolerance::change_of_removed: return "changes of removed lower files through a descriptor";
    }
    return "";
}

} // namespace

bool is_overlayfs(int fd) {
    struct statfs info {};
    return fstatfs(fd, &info) == 0 && info.f_type == OVERLAYFS_SUPER_MAGIC;
}

bool is_tolerated(const Operation& operation, const std::string& ours, const std::string& theirs) {
    if (operation.slot >= 0 && theirs == "EEXIST" && ours == "ok") {
        count(Tolerance::change_of_removed);
        return true;
    }
    return false;
}

void count(Tolerance tolerance) {
    ++counts[tolerance];
}

void print_counts() {
    for (const auto& [tolerance, number] : counts)
        std::printf("tolerated: %s: %u\n", name(tolerance), number);
}

} // namespace shale::twins
