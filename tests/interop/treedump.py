#!/usr/bin/python3 -IBS
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints a tree, one line per name: all that two equal trees must have in common.

    treedump.py [--now SECONDS] DIR
    treedump.py [--now SECONDS] --layer [--lower DIR]... DIR

Type, mode, owner, device number, size, time of last modification, link target, extended attributes (POSIX ACLs are
among them), content, holes, and which names are the same file. Times at or after SECONDS (since 1970) are printed as "now",
so that two trees made at different times compare equal. Directory sizes and link counts are not printed: they belong to the file
system below.

--layer prints the directory as a layer on disk and leaves out what two drivers may do differently there:
  - trusted.overlay.origin and .impure: hints for inode numbers
  - trusted.overlay.uuid: on the root of the upper, from overlayfs's uuid=auto
  - owner, time and link count of a whiteout, and which whiteouts share one inode
  - trusted.overlay.opaque on a directory where the lower layers (--lower, the top-most first) show nothing: it hides nothing
"""
import argparse
import errno
import hashlib
import os
import stat
import sys

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo",
         stat.S_IFCHR: "char", stat.S_IFBLK: "block", stat.S_IFSOCK: "socket"}
HINTS = {"trusted.overlay.origin", "trusted.overlay.impure", "trusted.overlay.uuid"}
OPAQUE = "trusted.overlay.opaque"
REDIRECT = "trusted.overlay.redirect"
HOLE = 1 << 20  # smaller savings depend on the file system's block size and preallocation


def printable(name):
    """A name of any bytes in printable ASCII without spaces."""
    return "".join(chr(c) if 0x21 <= c < 0x7f and c != 0x5c else f"\\x{c:02x}" for c in name)


def content(path):
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:24]


def ancestors_of(relative):
    """The directories on the way to a name, from the top down."""
    parts = relative.split(b"/")
    return (b"/".join(parts[:depth]) for depth in range(1, len(parts)))


def is_opaque(path):
    try:
        return os.getxattr(path, OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False


def is_moved(path):
    try:
        return bool(os.getxattr(path, REDIRECT, follow_symlinks=False))
    except OSError:
        return False


class Dump:
    def __init__(self, root, now=None, layer=False, lowers=()):
        self.root = os.fsencode(root)
        self.now = None if now is None else int(now * 1e9)
        self.layer = layer
        self.lowers = [os.fsencode(lower) for lower in lowers]
        self.first_name = {}

    def time(self, nanoseconds):
        if self.now is not None and nanoseconds >= self.now:
            return "now"
        return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09}"

    def hides_nothing(self, relative):
        ancestors = list(ancestors_of(relative))
        # Below what was moved, or made anew, the layers have nothing under this path.
        if any(is_opaque(os.path.join(self.root, path)) or is_moved(os.path.join(self.root, path)) for path in ancestors):
            return True
        for lower in self.lowers:
            for path in ancestors + [relative]:
                try:
                    info = os.lstat(os.path.join(lower, path))
                except FileNotFoundError:
                    break
                if not stat.S_ISDIR(info.st_mode):
                    # What is no directory ends the search; a whiteout says that there is nothing.
                    return path != relative or stat.S_ISCHR(info.st_mode) and info.st_rdev == 0
                if path == relative:
                    return False
            if any(is_opaque(os.path.join(lower, path)) for path in ancestors):
                return True
        return True

    def xattrs(self, path, relative):
        try:
            names = sorted(os.listxattr(path, follow_symlinks=False))
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP:
                return
            raise
        for name in names:
            if self.layer and (name in HINTS or name == OPAQUE and self.hides_nothing(relative)):
                continue
            value = os.getxattr(path, name, follow_symlinks=False)
            yield f"{printable(os.fsencode(name))}={value.hex() or '-'}"

    def describe(self, path, relative, entry=None):
        info = os.lstat(path)
        kind = KINDS[stat.S_IFMT(info.st_mode)]
        if self.layer and kind == "char" and info.st_rdev == 0:
            return ["whiteout"]
        words = [kind, f"{stat.S_IMODE(info.st_mode):04o}", f"{info.st_uid}:{info.st_gid}"]
        if kind in ("char", "block"):
            words.append(f"dev={os.major(info.st_rdev)}:{os.minor(info.st_rdev)}")
        words.append(f"mtime={self.time(info.st_mtime_ns)}")
        if kind == "link":
            words.append(f"to={printable(os.readlink(path))}")
        if kind == "file":
            words += [f"size={info.st_size}", f"sha256={content(path)}"]
            if info.st_size - info.st_blocks * 512 >= HOLE:
                words.append("sparse")
        if kind != "dir" and info.st_nlink > 1:
            key = (info.st_dev, info.st_ino)
            words.append(f"nlink={info.st_nlink}")
            words.append(f"same-as={printable(self.first_name.setdefault(key, relative))}")
        if entry is not None and (entry.is_dir(follow_symlinks=False), entry.is_symlink()) != (kind == "dir", kind == "link"):
            words.append("WRONG-TYPE-IN-READDIR")
        words += self.xattrs(path, relative)
        return words

    def lines(self):
        yield ["/"] + self.describe(self.root, b"")
        pending = [b""]
        while pending:
            directory = pending.pop()
            with os.scandir(os.path.join(self.root, directory)) as entries:
                entries = sorted(entries, key=lambda entry: entry.name)
            for earlier, later in zip(entries, entries[1:]):
                if earlier.name == later.name:
                    yield ["/" + printable(os.path.join(directory, later.name)), "TWICE-IN-READDIR"]
            for entry in entries:
                relative = os.path.join(directory, entry.name)
                try:
                    words = self.describe(entry.path, relative, entry)
                except OSError as error:
                    words = [f"{errno.errorcode[error.errno]} (seen in readdir)"]
                yield ["/" + printable(relative)] + words
                if words[0] == "dir":
                    pending.append(relative)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--now", type=float)
    parser.add_argument("--layer", action="store_true")
    parser.add_argument("--lower", action="append", default=[])
    parser.add_argument("directory")
    options = parser.parse_args()
    dump = Dump(options.directory, options.now, options.layer, options.lower)
    for line in sorted(" ".join(words) for words in dump.lines()):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
