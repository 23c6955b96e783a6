// SPDX-License-Identifier: GPL-2.0-or-later
#include "tolerance.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>

#include "session.hpp"

namespace shale::onefile {

namespace {

unsigned refused_nowait;

} // namespace

void check_nowait(long ours, long theirs) {
    // Where Shale itself would have to wait, it does not come to asking the base; nor is it always
    // the same moment at which the base would have to.
    if (ours == -EAGAIN || theirs == -EAGAIN)
        return;
    if (ours == -EOPNOTSUPP && theirs != ours) {
        ++refused_nowait;
        return;
    }
    if (ours != theirs && (ours < 0 || theirs < 0))
        throw Difference("without waiting, the twin answers " + std::to_string(theirs));
}

void print_tolerated() {
    if (refused_nowait)
        std::printf("tolerated: RWF_NOWAIT is not understood, where the base does: %u\n",
                    refused_nowait);
}

std::string flags_text(int flags) {
    static constexpr struct {
        int flag;
        const char* name;
    } names[] = {{O_CREAT, "|CREAT"},   {O_TRUNC, "|TRUNC"}, {O_APPEND, "|APPEND"},
                 {O_DIRECT, "|DIRECT"}, {O_SYNC, "|SYNC"},   {O_NOATIME, "|NOATIME"}};
    const int access = flags & O_ACCMODE;
    std::string text = access == O_RDONLY ? "RDONLY" : access == O_WRONLY ? "WRONLY" : "RDWR";
    for (const auto& [flag, name] : names)
        if ((flags & flag) == flag)
            text += name;
    return text;
}

} // namespace shale::onefile
