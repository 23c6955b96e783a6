// SPDX-License-Identifier: GPL-2.0-or-later
#include "operation.hpp"

#include <cstdio>

#include <fcntl.h>

namespace shale::twins {

std::string octal(mode_t mode) {
    char text[16];
    std::snprintf(text, sizeof text, "%04o", mode);
    return text;
}

std::string open_flags_text(int flags) {
    static constexpr struct {
        int flag;
        const char* name;
    } names[] = {{O_CREAT, "|CREAT"},         {O_EXCL, "|EXCL"},         {O_TRUNC, "|TRUNC"},
                 {O_APPEND, "|APPEND"},       {O_NOFOLLOW, "|NOFOLLOW"}, {O_PATH, "|PATH"},
                 {O_DIRECTORY, "|DIRECTORY"}, {O_SYNC, "|SYNC"}};
    const int access = flags & O_ACCMODE;
    std::string text = access == O_RDONLY ? "RDONLY" : access == O_WRONLY ? "WRONLY" : "RDWR";
    if ((flags & O_TMPFILE) == O_TMPFILE)
        return text + "|TMPFILE" + (flags & O_EXCL ? "|EXCL" : "");
    for (const auto& [flag, name] : names)
        if ((flags & flag) == flag)
            text += name;
    return text;
}

} // namespace shale::twins
