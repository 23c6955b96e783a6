// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/script.hpp"

#include <algorithm>
#include <cstdio>

#include <linux/fs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/join.hpp"
#include "base/shell_word.hpp"
#include "base/stat_text.hpp"

namespace shale::exercise {

namespace {

std::string quoted(const std::string& text) {
    static const std::string plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@%";
    if (!text.empty() && text.front() != '-' && text.find_first_not_of(plain) == std::string::npos)
        return text;
    return shell_word(text);
}

/// A command that prints these bytes: short ones, or many of one kind.
std::string printing(const std::string& bytes) {
    if (bytes.empty())
        return ":";
    if (bytes.size() <= 24)
        return "printf %s " + quoted(bytes);
    return "head -c " + std::to_string(bytes.size()) + " /dev/zero | tr '\\0' " + quoted(bytes.substr(0, 1));
}

/// A function of the script, for a call that no command makes.
struct Helper {
    const char* name;
    const char* text;
};

constexpr Helper helpers[] = {
    {"renameat2",
     "# renameat2(AT_FDCWD, from, AT_FDCWD, to, flags): 0, 1 is RENAME_NOREPLACE, 2 is RENAME_EXCHANGE\n"
     "renameat2() {\n"
     "    python3 -c 'import ctypes, os, sys\n"
     "libc = ctypes.CDLL(None, use_errno=True)\n"
     "if libc.renameat2(-100, os.fsencode(sys.argv[1]), -100, os.fsencode(sys.argv[2]), int(sys.argv[3])):\n"
     "    sys.exit(\"renameat2: \" + os.strerror(ctypes.get_errno()))' \"$@\"\n"
     "}\n"},
    {"link_unnamed", "# fd = open(dirname(path), O_TMPFILE | O_RDWR, 0666); write(fd, what standard input has);\n"
                     "# linkat(AT_FDCWD, \"/proc/self/fd/N\", AT_FDCWD, path, AT_SYMLINK_FOLLOW)\n"
                     "link_unnamed() {\n"
                     "    python3 -c 'import os, sys\n"
                     "fd = os.open(os.path.dirname(sys.argv[1]) or \".\", os.O_TMPFILE | os.O_RDWR, 0o666)\n"
                     "os.write(fd, sys.stdin.buffer.read())\n"
                     "os.link(f\"/proc/self/fd/{fd}\", sys.argv[1], src_dir_fd=fd, follow_symlinks=True)' \"$@\"\n"
                     "}\n"},
    {"write_mapped",
     "# memory = mmap(NULL, offset + 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0); memory[offset] = byte; msync()\n"
     "write_mapped() {\n"
     "    python3 -c 'import mmap, os, sys\n"
     "offset = int(sys.argv[2])\n"
     "memory = mmap.mmap(os.open(sys.argv[1], os.O_RDWR), offset + 1)\n"
     "memory[offset] = ord(sys.argv[3])\n"
     "memory.flush()' \"$@\"\n"
     "}\n"},
    {"lsetxattr", "# lsetxattr(path, name, value, size, flags): 1 is XATTR_CREATE, 2 is XATTR_REPLACE\n"
                  "lsetxattr() {\n"
                  "    python3 -c 'import os, sys\n"
                  "os.setxattr(sys.argv[1], sys.argv[2], os.fsencode(sys.argv[3]), int(sys.argv[4]), "
                  "follow_symlinks=False)' \"$@\"\n"
                  "}\n"},
};

std::string setting_xattr(const Operation& operation, const std::string& path) {
    if (operation.flags)
        return "lsetxattr " + path + " " + operation.name + " " + quoted(operation.value) + " " +
               std::to_string(operation.flags);
    const std::string value = operation.value.empty() ? "" : " -v " + quoted(operation.value);
    return "setfattr -h -n " + operation.name + value + " " + path;
}

std::string allocating(const Operation& operation, const std::string& path) {
    const std::string punch = operation.kind == Kind::punch ? "-p " : "";
    return "fallocate " + punch + "-o " + std::to_string(operation.offset) + " -l " + std::to_string(operation.size) +
           " " + path;
}

std::string command_of(const Operation& operation) {
    const std::string path = quoted(operation.path), other = quoted(operation.other);
    switch (operation.kind) {
    case Kind::create: return "(set -C; " + printing(operation.value) + " >" + path + ")";
    case Kind::unnamed: return printing(operation.value) + " | link_unnamed " + path;
    case Kind::make_directory: return "mkdir " + path;
    case Kind::make_symlink: return "ln -s -T " + other + " " + path;
    case Kind::make_fifo: return "mkfifo " + path;
    case Kind::make_device:
        return "mknod " + path + " c " + std::to_string(major(operation.device)) + " " +
               std::to_string(minor(operation.device));
    case Kind::link: return "ln -P -T " + path + " " + other;
    case Kind::unlink: return "unlink " + path;
    case Kind::rmdir: return "rmdir " + path;
    case Kind::rename: return "renameat2 " + path + " " + other + " " + std::to_string(operation.flags);
    case Kind::write:
        return printing(operation.value) + " | dd of=" + path +
               " oflag=seek_bytes seek=" + std::to_string(operation.offset) + " conv=notrunc,nocreat status=none";
    case Kind::append: return printing(operation.value) + " >>" + path;
    case Kind::replace: return printing(operation.value) + " >" + path;
    case Kind::truncate: return "truncate -c -s " + std::to_string(operation.size) + " " + path;
    case Kind::allocate:
    case Kind::punch: return allocating(operation, path);
    case Kind::map:
        return "write_mapped " + path + " " + std::to_string(operation.offset) + " " + quoted(operation.value);
    case Kind::chmod: return "chmod " + mode_text(operation.mode) + " " + path;
    case Kind::chown:
        return "chown -h " + std::to_string(operation.uid) + ":" + std::to_string(operation.gid) + " " + path;
    case Kind::utimens: return "touch -c -h -d @" + time_text(operation.time) + " " + path;
    case Kind::set_xattr: return setting_xattr(operation, path);
    case Kind::remove_xattr: return "setfattr -h -x " + operation.name + " " + path;
    case Kind::read: return "cat " + path + " >/dev/null";
    case Kind::list: return "ls -a " + path + " >/dev/null";
    case Kind::stat: return "stat " + path + " >/dev/null";
    case Kind::remount: return "again";
    }
    return "";
}

std::string lines_of(const std::vector<Operation>& operations) {
    std::string lines;
    for (const Operation& operation : operations)
        lines += command_of(operation) + "\n";
    return lines;
}

bool uses(const std::string& lines, const std::string& helper) {
    return ("\n" + lines).find("\n" + helper + " ") != std::string::npos ||
           lines.find("| " + helper + " ") != std::string::npos;
}

std::string helpers_for(const std::string& lines) {
    std::string text;
    for (const Helper& helper : helpers) {
        if (uses(lines, helper.name))
            text += helper.text;
    }
    return text;
}

std::string comment(const std::string& text) {
    std::string line = "# " + text;
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line + "\n";
}

/// Shows what @p difference is about.
std::string looking_at(const Difference& difference) {
    const std::string path = quoted(difference.path);
    if (difference.aspect == "extended attributes")
        return "getfattr -h -d -m - " + path + "\n";
    if (difference.aspect == "content")
        return "od -c " + path + "\n";
    if (difference.aspect.starts_with("list"))
        return "ls -lai " + quoted(parent_of(difference.path)) + "\n";
    return "stat " + path + "\n";
}

std::string mounting(const Case& played, const std::string& type) {
    std::string lowers, directories;
    for (unsigned number = 1; number <= played.lowers; ++number) {
        lowers += (number > 1 ? ":" : "") + ("lower" + std::to_string(number));
        directories += "lower" + std::to_string(number) + " ";
    }
    const std::string options = join(played.options, ",");
    return "mkdir " + directories + "upper work m\n" + lines_of(played.layers) + "\n" +
           "again() { # unmount it, and mount it again\n"
           "    cd ..\n"
           "    umount m && fresh\n"
           "}\n"
           "fresh() {\n"
           "    mount -t " +
           type + " -o nodev," + options + ",lowerdir=" + lowers +
           ",upperdir=upper,workdir=work none m && cd m\n"
           "}\n"
           "fresh || exit\n";
}

} // namespace

std::string commands_of(const std::vector<Operation>& operations) {
    const std::string lines = lines_of(operations);
    return "umask 022\n" + helpers_for(lines) + lines;
}

std::string script_of(const Found& found, const std::string& type) {
    const Case& played = found.played;
    const Difference& difference = found.failure.difference;
    const bool has_mount = played.lowers > 0;
    std::string script = "#!/bin/sh\n";
    script += comment("Seed " + std::to_string(played.seed) + ". In the end " + difference.path +
                      " differs from what the model says.");
    script += comment(difference.aspect + ": expected " + difference.expected + "; seen " + difference.seen);
    script += "umask 022\n" + helpers_for(lines_of(played.layers) + lines_of(played.steps)) + "\n";
    script += has_mount ? "cd \"$(mktemp -d \"${1:-.}\"/exercise.XXXXXX)\" || exit\n"
                        : "cd \"$(mktemp -d \"$1\"/exercise.XXXXXX)\" || exit\n";
    if (has_mount)
        script += mounting(played, type);
    return script + lines_of(played.steps) + looking_at(difference);
}

} // namespace shale::exercise
