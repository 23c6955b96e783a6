#!/usr/bin/python3 -IBS
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the round trip does to its trees. Each change is printed with its outcome (ok or the error's name), so that
two drivers can be compared by what they answer, too.

    operations.py lowers DIR          makes DIR/1 (top), DIR/2 and DIR/3 (bottom)
    operations.py first TREE          changes a merged tree in every way there is
    operations.py second TREE         changes what the first round left
    operations.py random TREE SEED N  N random changes to few names, which therefore collide often
"""
import ctypes
import errno
import mmap
import os
import random
import stat
import struct
import sys

LONG_AGO = 1_000_000_000_123_456_789  # a time with nanoseconds; each file gets a later one
NOREPLACE, EXCHANGE, WHITEOUT = 1, 2, 4
ODD_NAMES = [b"new\nline", b"tab\ttab", b"back\\slash", b"co:lon,comma=", b"-dash", b" blank ", b"#hash", b"\xff\xfe\x80",
             "grün-☃".encode(), b"x" * 255, b"..."]

libc = ctypes.CDLL(None, use_errno=True)


# Older overlayfs has no marks of an outer union, which are escaped on disk.
escapes_marks = "NO_ESCAPED_MARKS" not in os.environ


def rename2(old, new, flags):
    if libc.renameat2(-100, os.fsencode(old), -100, os.fsencode(new), flags):
        raise OSError(ctypes.get_errno(), "renameat2")


def acl(*entries):
    """The value of system.posix_acl_access: entries of (tag, permissions, id), in order of tag."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def access_acl(user, permissions):
    nobody = 0xffffffff
    return acl((1, 6, nobody), (2, permissions, user), (4, 4, nobody), (16, 6, nobody), (32, 4, nobody))


def write(path, data, flags=os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o644, at=None):
    fd = os.open(path, flags | os.O_NONBLOCK, mode)
    try:
        if at is not None:
            os.lseek(fd, at, os.SEEK_SET)
        if data:
            os.write(fd, data)
    finally:
        os.close(fd)


def append(path, data):
    write(path, data, os.O_WRONLY | os.O_APPEND)


def overwrite(path, data, at):
    write(path, data, os.O_RDWR, at=at)


def write_mapped(path, data, at):
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
        mapping[at:at + len(data)] = data
        mapping.flush()


def read_before_and_after(path, data):
    """A descriptor opened for reading before the copy-up must see what is written afterwards."""
    fd = os.open(path, os.O_RDONLY)
    try:
        append(path, data)
        if not os.pread(fd, 1 << 20, 0).endswith(data):
            raise OSError(errno.EILSEQ, "stale data")
    finally:
        os.close(fd)


def write_unlinked(path, data):
    """An open file goes on living without its name."""
    fd = os.open(path, os.O_RDWR)
    try:
        os.unlink(path)
        os.pwrite(fd, data, 0)
        if os.pread(fd, len(data), 0) != data or os.fstat(fd).st_nlink != 0:
            raise OSError(errno.EILSEQ, "lost data")
    finally:
        os.close(fd)


def pattern(size, seed):
    return random.Random(seed).randbytes(size)


# ----------------------------------------------------------------------------------------------------------------------


class Layer:
    """Makes one lower layer; every object gets a time of its own."""

    def __init__(self, root, number):
        self.root = root
        self.time = LONG_AGO + number * 10**16
        self.made = []
        os.makedirs(root)

    def path(self, name):
        path = os.path.join(os.fsencode(self.root), os.fsencode(name))
        self.made.append(path)
        return path

    def dir(self, name, mode=0o755, owner=(0, 0), opaque=False):
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        os.chown(path, *owner)
        os.chmod(path, mode)
        if opaque:
            os.setxattr(path, "trusted.overlay.opaque", b"y")
        return path

    def file(self, name, data=b"", mode=0o644, owner=(0, 0)):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, data)
        os.chown(path, *owner)
        os.chmod(path, mode)
        return path

    def node(self, name, mode, device=0):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.mknod(path, mode, device)
        return path

    def whiteout(self, name):
        self.node(name, stat.S_IFCHR, 0)

    def link(self, target, name):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)
        return path

    def finish(self):
        for directory, directories, files in os.walk(os.fsencode(self.root), topdown=False):
            for name in sorted(files) + sorted(d for d in directories if os.path.islink(os.path.join(directory, d))):
                self.time += 1_000_000_007
                os.utime(os.path.join(directory, name), ns=(self.time, self.time), follow_symlinks=False)
            self.time += 1_000_000_007
            os.utime(directory, ns=(self.time, self.time))


def make_lowers(root):
    top, middle, bottom = (Layer(os.path.join(root, str(number)), 4 - number) for number in (1, 2, 3))

    # objects of every type, to be copied up one by one
    for name in ("append", "truncate", "extend", "overwrite", "mapped", "chmod", "chown", "touch", "xattr", "acl", "read",
                 "link", "rename", "replace", "unlink", "unlinked", "exchange", "both", "untouched", "trunc-open",
                 "rdwr-open", "removexattr", "rename-over", "punch"):
        path = bottom.file(f"files/{name}", pattern(5000, name), 0o640, (1000, 1001))
        os.setxattr(path, "user.colour", b"green\0blue")
        os.setxattr(path, "trusted.note", name.encode())
    middle.file("files/both", b"of the middle layer", 0o600)
    bottom.file("files/setuid", b"#!/bin/sh\n", 0o4755, (1000, 1000))
    bottom.file("files/setgid", b"#!/bin/sh\n", 0o2755, (0, 50))
    path = bottom.file("files/capable", b"\x7fELF", 0o755)
    os.setxattr(path, "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
    path = bottom.file("files/with-acl", b"acl", 0o664)
    os.setxattr(path, "system.posix_acl_access", access_acl(1234, 6))
    bottom.file("files/empty")
    bottom.file("files/big", pattern(3 << 20, "big"))
    path = bottom.file("files/sparse")
    os.truncate(path, 16 << 20)
    overwrite(path, pattern(70000, "sparse"), 5 << 20)
    for name in ("linked-1", "linked-2", "linked-3"):
        if name == "linked-1":
            first = bottom.file(f"files/{name}", b"three names")
        else:
            os.link(first, bottom.path(f"files/{name}"))
    for name in ("link", "chown", "rename", "touch", "unlink"):
        bottom.link(f"../files/{name}", f"symlinks/{name}")
    bottom.link(b"/no/such/" + b"y" * 300, "symlinks/long")
    for name in ("chmod", "rename", "unlink"):
        bottom.node(f"nodes/fifo-{name}", stat.S_IFIFO | 0o622)
        bottom.node(f"nodes/char-{name}", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        bottom.node(f"nodes/block-{name}", stat.S_IFBLK | 0o660, os.makedev(240, 77))
        bottom.node(f"nodes/socket-{name}", stat.S_IFSOCK | 0o755)

    # names in several layers: merged, hidden, replaced by another type, hidden and there again
    for layer, where in ((top, "top"), (middle, "middle"), (bottom, "bottom")):
        layer.dir("merged", 0o755 if layer is bottom else 0o751)
        layer.file(f"merged/{where}", where.encode())
        layer.file("merged/everywhere", where.encode())
        layer.file(f"merged/sub/{where}", where.encode())
        layer.file(f"merged/delete/{where}", where.encode())
        layer.file(f"merged/rename/{where}", where.encode())
        layer.file(f"opaque/{where}", where.encode())
        layer.file(f"opaque/below/{where}", where.encode())
        for number in range(120):
            layer.file(f"many/{where}-{number:03}", b"")
    top.dir("opaque", opaque=True)
    top.whiteout("merged/gone")
    bottom.file("merged/gone", b"gone")
    bottom.file("merged/back", b"first")
    middle.whiteout("merged/back")
    top.file("merged/back", b"again")
    bottom.file("types/file-then-dir", b"file")
    top.file("types/file-then-dir/inside", b"dir")
    bottom.file("types/dir-then-file/inside", b"dir")
    top.file("types/dir-then-file", b"file")
    bottom.file("types/dir-then-link/inside", b"dir")
    top.link("dir-then-file", "types/dir-then-link")
    bottom.file("types/dir-gone-and-back/old", b"old")
    middle.whiteout("types/dir-gone-and-back")
    top.file("types/dir-gone-and-back/new", b"new")
    bottom.file("types/all-hidden/one", b"1")
    bottom.file("types/all-hidden/two", b"2")
    top.whiteout("types/all-hidden/one")
    top.whiteout("types/all-hidden/two")
    bottom.dir("types/with-default-acl")
    default = acl((1, 7, 0xffffffff), (4, 5, 0xffffffff), (8, 6, 77), (16, 7, 0xffffffff), (32, 0, 0xffffffff))
    os.setxattr(os.path.join(bottom.root, "types/with-default-acl"), "system.posix_acl_default", default)

    # directories that only one layer has
    for name in ("delete", "recreate", "rename", "chmod", "fill", "touch", "recreate-twice", "replace"):
        path = bottom.dir(f"lower-dirs/{name}", 0o2750, (1000, 100))
        os.setxattr(path, "user.place", name.encode())
        bottom.file(f"lower-dirs/{name}/child", name.encode())
        bottom.file(f"lower-dirs/{name}/deep/er/grandchild", name.encode())
    bottom.dir("lower-dirs/sticky", 0o1777)
    bottom.dir("lower-dirs/empty")
    for number, name in enumerate(ODD_NAMES):
        (top, middle, bottom)[number % 3].file(b"odd/" + name, name)
        (top, middle, bottom)[number % 3].file(b"odd/dir-" + name[:200] + b"/inside", name)
    bottom.file("/".join(["deep"] + [f"d{level}" for level in range(24)] + ["end"]), b"end")

    # the few names of the random round
    for layer, names in ((top, "ab"), (middle, "bcd"), (bottom, "acdef")):
        for directory in names:
            for name in names:
                layer.file(f"random/{directory}/{name}", (directory + name).encode())
    top.whiteout("random/e")
    middle.dir("random/d", opaque=True)
    bottom.link("a/a", "random/link")

    for layer in (top, middle, bottom):
        layer.finish()


# ----------------------------------------------------------------------------------------------------------------------


class Tree:
    """A merged tree to change: Tree(root)(function, names...) calls function on the names in it and prints the outcome."""

    def __init__(self, root):
        os.chdir(root)
        os.umask(0o022)

    def __call__(self, function, *arguments, **options):
        try:
            value = function(*arguments, **options)
            outcome = "ok" if value is None else f"ok {value!r}"
        except OSError as error:
            outcome = errno.errorcode.get(error.errno, str(error.errno))
        shown = " ".join(ascii(a if not isinstance(a, bytes) or len(a) < 40 else a[:37] + b"...") for a in arguments)
        print(f"{function.__name__} {shown}: {outcome}")


def listing(name):
    return sorted(os.listdir(name))


def first_round(root):
    do = Tree(root)

    # new objects of every type
    do(os.mkdir, "new", 0o750)
    do(write, "new/file", b"content")
    do(write, "new/secret", b"content", mode=0o4700)
    do(write, "new/file", b"", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    do(os.symlink, "file", "new/symlink")
    do(os.mkfifo, "new/fifo", 0o604)
    do(os.mknod, "new/char", stat.S_IFCHR | 0o600, os.makedev(5, 1))
    do(os.mknod, "new/block", stat.S_IFBLK | 0o600, os.makedev(240, 1))
    do(os.mknod, "new/socket", stat.S_IFSOCK | 0o600)
    do(os.mknod, "new/whiteout", stat.S_IFCHR | 0o600, 0)
    do(os.link, "new/file", "new/hard-link")
    do(os.link, "new/symlink", "new/symlink-link", follow_symlinks=False)
    do(os.mkdir, "new/dir")
    do(write, "new/dir/inside", b"inside")
    do(write, "new/sparse", b"end", at=20 << 20)
    do(write, "new/big", pattern(2 << 20, "new"))
    do(os.mkdir, "new/many")
    for number in range(150):
        write(f"new/many/{number}", b"")
    for name in ODD_NAMES:
        do(write, b"new/" + name, name)
    do(write, "new/" + "z" * 256, b"")
    do(os.mkdir, "types/with-default-acl/dir")
    do(write, "types/with-default-acl/file", b"inherits")
    do(write, "lower-dirs/fill/in-setgid", b"inherits the group")
    do(os.mkdir, "lower-dirs/fill/dir-in-setgid")

    # files of lower layers: data
    do(append, "files/append", b"appended")
    do(os.truncate, "files/truncate", 100)
    do(os.truncate, "files/extend", 20 << 20)
    do(overwrite, "files/overwrite", b"OVER", 4094)
    do(write_mapped, "files/mapped", b"MAPPED", 4093)
    do(write, "files/trunc-open", b"")
    do(write, "files/rdwr-open", b"", os.O_RDWR)
    do(overwrite, "files/sparse", b"in a hole", 10 << 20)
    do(overwrite, "files/big", b"x", (3 << 20) - 1)
    do(append, "files/empty", b"no longer")
    do(read_before_and_after, "files/read", b"after")
    do(write_unlinked, "files/unlinked", b"still here")
    do(append, "files/setuid", b"exit\n")
    do(append, "files/capable", b"loses its capability")
    do(append, "merged/everywhere", b"+upper")
    do(append, "merged/back", b"+upper")
    do(append, "symlinks/link", b"through a symbolic link")
    do(append, "/".join(["deep"] + [f"d{level}" for level in range(24)] + ["end"]), b"+")

    # files of lower layers: attributes
    do(os.chmod, "files/chmod", 0o4711)
    do(os.chown, "files/chown", 7, 8)
    do(os.chown, "files/setgid", 7, 8)
    do(os.utime, "files/touch", ns=(LONG_AGO, LONG_AGO + 5))
    do(os.setxattr, "files/xattr", "user.size", b"large")
    if escapes_marks:
        do(os.setxattr, "files/xattr", "trusted.overlay.redirect", b"nested")
    do(os.setxattr, "files/xattr", "user.overlay.opaque", b"y")
    do(os.removexattr, "files/removexattr", "user.colour")
    do(os.removexattr, "files/removexattr", "user.no-such")
    do(os.setxattr, "files/xattr", "user.colour", b"red", os.XATTR_CREATE)
    do(os.setxattr, "files/acl", "system.posix_acl_access", access_acl(4321, 2))
    do(os.chmod, "files/with-acl", 0o640)
    do(os.chown, "symlinks/chown", 9, 10, follow_symlinks=False)
    do(os.utime, "symlinks/touch", ns=(LONG_AGO, LONG_AGO + 6), follow_symlinks=False)
    for kind in ("fifo", "char", "block", "socket"):
        do(os.chmod, f"nodes/{kind}-chmod", 0o400)
        do(os.rename, f"nodes/{kind}-rename", f"nodes/{kind}-renamed")
        do(os.unlink, f"nodes/{kind}-unlink")
    do(os.chmod, "lower-dirs/chmod", 0o700)
    do(os.setxattr, "lower-dirs/chmod", "user.place", b"elsewhere")
    do(os.utime, "lower-dirs/touch", ns=(LONG_AGO, LONG_AGO + 7))
    do(os.chmod, "merged", 0o711)

    # names: hard links, deletions, renames
    do(os.link, "files/link", "files/link-2")
    do(append, "files/link-2", b"both")
    do(os.link, "symlinks/touch", "symlinks/touch-2", follow_symlinks=False)
    do(append, "files/linked-1", b", one less")
    do(os.unlink, "files/linked-3")
    do(os.unlink, "files/unlink")
    do(os.unlink, "files/no-such")
    do(os.unlink, "merged/everywhere")
    do(write, "merged/everywhere", b"made again", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    do(os.unlink, "symlinks/unlink")
    do(os.unlink, "merged/gone")
    do(write, "merged/gone", b"over a whiteout of a lower layer")
    do(os.rename, "files/rename", "files/renamed")
    do(os.rename, "symlinks/rename", "symlinks/renamed")
    do(os.rename, "files/replace", "files/untouched")
    do(os.rename, "new/file", "files/rename-over")
    do(rename2, "files/append", "files/both", NOREPLACE)
    do(rename2, "files/append", "files/appended", NOREPLACE)
    do(rename2, "files/exchange", "files/both", EXCHANGE)
    do(rename2, "files/both", "files/exchange", WHITEOUT)
    do(os.rename, "files/linked-1", "files/linked-1")
    do(os.rename, "new/dir", "new/dir-renamed")
    do(os.rename, "new/dir-renamed", "merged/dir-moved")
    do(os.rename, "new/dir-renamed", "new/x")
    do(os.rename, "new/many", "lower-dirs/empty")
    do(os.rename, "lower-dirs/rename", "lower-dirs/renamed")
    do(os.rename, "merged/rename", "merged/renamed")
    do(os.rename, "new/big", "lower-dirs")
    do(os.rename, "lower-dirs", "new/big")
    do(os.rename, "merged", "merged/sub/below-itself")

    # directories
    do(os.rmdir, "lower-dirs/delete")
    do(os.rmdir, "types/all-hidden")
    do(os.rmdir, "types/file-then-dir/inside")
    do(os.unlink, "types/file-then-dir")
    for name in ("delete", "recreate", "recreate-twice", "replace"):
        do(remove_all, f"lower-dirs/{name}")
    do(os.mkdir, "lower-dirs/recreate", 0o700)
    do(write, "lower-dirs/recreate/other", b"other")
    for _ in range(2):
        do(os.mkdir, "lower-dirs/recreate-twice")
        do(os.mkdir, "lower-dirs/recreate-twice/deep")
        do(listing, "lower-dirs/recreate-twice/deep")
        do(remove_all, "lower-dirs/recreate-twice")
    do(os.mkdir, "lower-dirs/recreate-twice")
    do(write, "lower-dirs/replace", b"a file in place of a directory")
    do(remove_all, "merged/delete")
    do(os.mkdir, "merged/delete")
    do(listing, "merged/delete")
    do(os.mkdir, "new/empty")
    do(os.rename, "new/empty", "types/all-hidden")
    do(listing, "types/all-hidden")
    do(os.unlink, "types/dir-then-file")
    do(os.mkdir, "types/dir-then-file")
    do(listing, "types/dir-then-file")
    for number in range(0, 120, 3):
        os.unlink(f"many/middle-{number:03}")
    for number in range(1, 120, 5):
        append(f"many/bottom-{number:03}", b"!")
    do(listing, "many")
    for name in ODD_NAMES:
        do(append, b"odd/" + name, b"+")
        do(os.rename, b"odd/dir-" + name[:200] + b"/inside", b"odd/moved-" + name[:200])
        do(os.unlink, b"odd/" + name)
    do(listing, "odd")
    do(os.fsync, os.open("merged", os.O_RDONLY))


def second_round(root):
    do = Tree(root)
    do(append, "files/appended", b"and again")
    do(os.chmod, "new/secret", 0o600)
    do(os.chown, "files/renamed", 1, 1)
    do(os.unlink, "files/link")
    do(append, "files/link-2", b"one")
    do(write, "files/unlink", b"back again")
    do(os.rename, "files/untouched", "files/unlink")
    do(os.rename, "merged/dir-moved", "lower-dirs/delete")
    do(listing, "lower-dirs/delete")
    do(os.unlink, "new/whiteout")
    if escapes_marks:
        do(os.removexattr, "files/xattr", "trusted.overlay.redirect")
    do(remove_all, "lower-dirs/recreate")
    do(remove_all, "lower-dirs/empty")
    do(remove_all, "opaque")
    do(os.mkdir, "opaque")
    do(os.mkdir, "opaque/below")
    do(listing, "opaque/below")
    do(remove_all, "new")
    do(remove_all, "types/dir-gone-and-back")
    do(remove_all, "merged/sub")
    do(os.mkdir, "merged/sub")
    do(write, "merged/sub/top", b"new")
    do(os.rename, "merged/sub", "merged/moved")
    do(listing, "merged/moved")
    do(remove_all, "many")
    do(write, "many", b"a file now")
    do(os.rename, "many", "files/many")
    do(os.link, "files/linked-1", "files/linked-3")
    do(os.unlink, "files/linked-2")
    do(os.truncate, "files/extend", 10)
    do(os.rename, "lower-dirs/recreate-twice", "lower-dirs/replace")
    do(os.unlink, "lower-dirs/replace")
    do(os.rename, "lower-dirs/recreate-twice", "lower-dirs/replace")
    do(listing, "lower-dirs/replace")
    do(listing, ".")


def remove_all(name):
    """rm -r."""
    with os.scandir(name) as entries:
        entries = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            remove_all(entry.path)
        else:
            os.unlink(entry.path)
    os.rmdir(name)


def random_round(root, seed, count):
    do = Tree(os.path.join(root, "random"))
    dice = random.Random(seed)

    def name():
        depth = dice.choice((1, 2, 2, 2, 3))
        return "/".join(dice.choice("abcdef") for _ in range(depth))

    def two(function):
        do(function, name(), name())

    changes = (
        (4, lambda: do(write, name(), dice.randbytes(dice.choice((0, 10, 5000))))),
        (2, lambda: do(append, name(), b"+")),
        (1, lambda: do(os.truncate, name(), dice.choice((0, 3, 9000)))),
        (4, lambda: do(os.mkdir, name(), dice.choice((0o755, 0o700)))),
        (4, lambda: do(os.unlink, name())),
        (3, lambda: do(os.rmdir, name())),
        (2, lambda: do(remove_all, name())),
        (6, lambda: two(os.rename)),
        (1, lambda: do(rename2, name(), name(), NOREPLACE)),
        (1, lambda: do(rename2, name(), name(), EXCHANGE)),
        (2, lambda: do(os.link, name(), name(), follow_symlinks=False)),
        (1, lambda: do(os.symlink, name(), name())),
        (1, lambda: do(os.mkfifo, name())),
        (1, lambda: do(os.chmod, name(), dice.choice((0o600, 0o755)))),
        (1, lambda: do(os.chown, name(), dice.randrange(3), 0, follow_symlinks=False)),
        (1, lambda: do(os.setxattr, name(), "user.x", dice.randbytes(4), follow_symlinks=False)),
        (1, lambda: do(os.utime, name(), ns=(LONG_AGO, LONG_AGO + dice.randrange(9)), follow_symlinks=False)),
        (2, lambda: do(listing, name())),
    )
    weights = [weight for weight, _ in changes]
    for _ in range(count):
        dice.choices([change for _, change in changes], weights)[0]()


def main():
    verb, root, *numbers = sys.argv[1:]
    if verb == "lowers":
        make_lowers(root)
    elif verb == "first":
        first_round(root)
    elif verb == "second":
        second_round(root)
    elif verb == "random":
        random_round(root, *map(int, numbers))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
