#!/usr/bin/python3 -IBS
# SPDX-License-Identifier: GPL-2.0-or-later
"""One system call, as an engine makes it: what no common program does, or not without something around it.

    syscall.py setxattr PATH NAME VALUE
    syscall.py getxattr PATH NAME           prints the value
    syscall.py listxattr PATH               prints the names, sorted
    syscall.py rename OLD NEW               rename(2), which mv(1) replaces by copying
    syscall.py types DIR                    prints "NAME d_type" per entry, as getdents(2) says it
    syscall.py mount FLAGS OPTIONS DIR      mount(2) of the type overlay; FLAGS is "ro", or empty

If it fails it prints the name of the error, and exits with status 1.
"""
import ctypes
import errno
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)


class Dirent(ctypes.Structure):
    _fields_ = [("d_ino", ctypes.c_ulong), ("d_off", ctypes.c_long), ("d_reclen", ctypes.c_ushort),
                ("d_type", ctypes.c_ubyte), ("d_name", ctypes.c_char * 256)]


def checked(result):
    """The result, unless it says that errno does."""
    if result in (-1, None):
        raise OSError(ctypes.get_errno(), "")
    return result


def setxattr(path, name, value):
    os.setxattr(path, name, value.encode(), follow_symlinks=False)


def getxattr(path, name):
    print(os.getxattr(path, name, follow_symlinks=False).decode())


def listxattr(path):
    print("\n".join(sorted(os.listxattr(path, follow_symlinks=False))))


def types(path):
    libc.opendir.restype = ctypes.c_void_p
    libc.readdir.restype = ctypes.POINTER(Dirent)
    stream = ctypes.c_void_p(checked(libc.opendir(path.encode())))
    while entry := libc.readdir(stream):
        print(entry.contents.d_name.decode(), entry.contents.d_type)


def mount(flags, options, path):
    read_only = {"ro": 1, "": 0}[flags]
    checked(libc.mount(b"overlay", path.encode(), b"overlay", ctypes.c_ulong(read_only), options.encode()))


if __name__ == "__main__":
    calls = {f.__name__: f for f in (setxattr, getxattr, listxattr, types, mount)}
    calls["rename"] = os.rename
    try:
        calls[sys.argv[1]](*sys.argv[2:])
    except OSError as error:
        print(errno.errorcode[error.errno])
        sys.exit(1)
