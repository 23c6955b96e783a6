#!/usr/bin/python3 -IBS
# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of a mount whose layers lie on some file system, for bases.sh.

    base_life.py layers NAMESPACE DIR            makes DIR/low, DIR/top with marks in NAMESPACE.overlay.*, and
                                                 DIR/expected, what both merge to
    base_life.py folds TYPE OPTIONS DIR OUT [judge]
                                                 uses a mount whose layers ignore the case of names; writes OUT.folded
    base_life.py fold_layers DIR                 makes the layers for that, in DIR/low and DIR/top
    base_life.py live TYPE OPTIONS DIR OUT [judge]
                                                 mounts, shows, changes, mounts again; writes what it saw to
                                                 OUT.first, .changed, .again, .answers and .identity

OUT.answers tells which change was done, and why another was not. OUT.identity has a line for each name that is not as it should be: stat(2) and readdir(3) disagree about the inode
number, or copying up or mounting again has changed it.
"""
import ctypes
import errno
import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import treedump  # pylint: disable=wrong-import-position

# Whole seconds: images keep no more.
TIME = 1_000_000_000
LONG = bytes((7 * i ^ i >> 8) & 0xff for i in range(300_000))

# Layers -------------------------------------------------------------------------------------------------------------

# path: (kind, content, mode, owner, xattrs); parents first.
LOW = {
    "dir": ("dir", None, 0o755, 0, {}),
    "dir/plain": ("file", b"low\n", 0o644, 0, {}),
    "dir/hidden": ("file", b"never seen\n", 0o644, 0, {}),
    "dir/changed": ("file", b"from below\n", 0o600, 0, {}),
    "dir/tagged": ("file", b"tagged\n", 0o4755, 1000, {"user.colour": b"red", "trusted.made": b"here"}),
    "opaque": ("dir", None, 0o755, 0, {}),
    "opaque/below": ("file", b"hidden by a mark\n", 0o644, 0, {}),
    "merged": ("dir", None, 0o750, 1001, {"user.of": b"low"}),
    "merged/low": ("file", b"low\n", 0o644, 0, {}),
    "merged/gone": ("dir", None, 0o755, 0, {}),
    "merged/gone/with": ("file", b"content\n", 0o644, 0, {}),
    "moves": ("dir", None, 0o755, 0, {}),
    "moves/along": ("file", b"along\n", 0o644, 0, {}),
    "many": ("dir", None, 0o755, 0, {}),
    **{f"many/{i:03}": ("file", b"%d\n" % i, 0o644, 0, {}) for i in range(12)},
    "long": ("file", LONG, 0o644, 0, {}),
    "link": ("link", b"dir/plain", 0o777, 0, {}),
    "pipe": ("fifo", None, 0o622, 0, {}),
    "null": ("char", os.makedev(1, 3), 0o666, 0, {}),
    "one": ("file", b"two names\n", 0o644, 0, {}),
    "other": ("same", "one", None, None, {}),
}
TOP = {
    "dir": ("dir", None, 0o711, 0, {"user.of": b"top"}),
    "dir/hidden": ("whiteout", None, None, None, {}),
    "dir/changed": ("file", b"from above\n", 0o640, 1000, {}),
    "opaque": ("opaque", None, 0o755, 0, {}),
    "opaque/above": ("file", b"in the open\n", 0o644, 0, {}),
    "merged": ("dir", None, 0o750, 0, {}),
    "merged/top": ("file", b"top\n", 0o644, 0, {}),
    "merged/gone": ("whiteout", None, None, None, {}),
    "long": ("file", LONG[::-1], 0o644, 0, {}),
}


def merged(low, top):
    """What the two show together, by the rules of marks."""
    tree = dict(top)
    for path, what in low.items():
        above = [top.get(path[:end]) for end in range(len(path) + 1) if path[end:end + 1] in ("/", "")]
        if path not in tree and not any(what and what[0] != "dir" for what in above):
            tree[path] = what
    return {path: what for path, what in tree.items() if what[0] != "whiteout"}


def make(root, path, what, namespace):
    kind, content, mode, owner, xattrs = what
    full = os.path.join(root, path)
    if kind == "same":
        os.link(os.path.join(root, content), full)
        return
    if kind == "whiteout":
        os.mknod(full, stat.S_IFCHR, os.makedev(0, 0))
        return
    if kind in ("dir", "opaque"):
        os.mkdir(full)
    elif kind == "file":
        with open(full, "wb") as file:
            file.write(content)
    elif kind == "link":
        os.symlink(content, full)
    else:
        os.mknod(full, stat.S_IFIFO if kind == "fifo" else stat.S_IFCHR, content or 0)
    if kind == "opaque" and namespace:
        os.setxattr(full, f"{namespace}.overlay.opaque", b"y")
    for name, value in xattrs.items():
        # The other name space does not pass a network.
        if namespace != "user" or name.startswith("user."):
            os.setxattr(full, name, value)
    os.lchown(full, owner, owner)
    if kind != "link":
        os.chmod(full, mode)


def make_tree(root, tree, namespace):
    os.makedirs(root)
    for path in sorted(tree, key=lambda path: (tree[path][0] == "same", path)):
        make(root, path, tree[path], namespace)
    for path in [*tree, ""]:
        os.utime(os.path.join(root, path), (TIME, TIME), follow_symlinks=False)


def make_layers(namespace, root):
    make_tree(os.path.join(root, "low"), LOW, namespace)
    make_tree(os.path.join(root, "top"), TOP, namespace)
    expected = {path: (what[0].replace("opaque", "dir"), *what[1:]) for path, what in merged(LOW, TOP).items()}
    make_tree(os.path.join(root, "expected"), expected, "user" if namespace == "user" else "trusted")


# Changes ------------------------------------------------------------------------------------------------------------

def write(path, data, mode="ab"):
    with open(path, mode) as file:
        file.write(data)


def empty_and_make_again(path):
    for name in os.listdir(path):
        os.unlink(os.path.join(path, name))
    os.rmdir(path)
    os.mkdir(path)


CHANGES = [
    ("append", lambda: write("dir/plain", b"more\n")),
    ("overwrite", lambda: write("long", b"X", "r+b")),
    ("chmod", lambda: os.chmod("dir/tagged", 0o700)),
    ("chown a link", lambda: os.lchown("link", 1000, 1000)),
    ("chown a fifo", lambda: os.chown("pipe", 1000, 1000)),
    ("set an attribute", lambda: os.setxattr("dir/changed", "user.new", b"value")),
    ("remove a lower file", lambda: os.unlink("many/007")),
    ("remove what both may have", lambda: os.unlink("merged/top")),
    ("replace a directory", lambda: empty_and_make_again("opaque")),
    ("fill it", lambda: write("opaque/new", b"new\n")),
    ("make what is hidden", lambda: os.mkdir("merged/gone")),
    ("move a directory", lambda: os.rename("moves", "moved")),
    ("move a file", lambda: os.rename("many/008", "merged/008")),
    ("write to one of two names", lambda: write("one", b"by one name\n")),
    ("link", lambda: os.link("dir/changed", "dir/again")),
    ("make a symbolic link", lambda: os.symlink("target", "new-link")),
]


def change():
    """One of each kind, in the current directory. Returns the answers."""
    answers = []
    for name, operation in CHANGES:
        try:
            operation()
            answers.append(f"{name}: done")
        except OSError as error:
            answers.append(f"{name}: {errno.errorcode[error.errno]}")
    return answers


COPIED_UP = ["dir/plain", "long", "dir/tagged", "link", "pipe", "dir/changed", "dir", "merged", "many"]


LIBC = ctypes.CDLL(None, use_errno=True)


class Mount:
    def __init__(self, kind, options, root, out):
        self.kind, self.options, self.root, self.out = kind, options, root, out

    def __enter__(self):
        self.check(LIBC.mount(b"bases", self.root.encode(), self.kind.encode(), 0, self.options.encode()))
        return self

    def __exit__(self, *_):
        os.chdir("/")
        self.check(LIBC.umount2(self.root.encode(), 0))

    def check(self, result):
        if result < 0:
            raise OSError(ctypes.get_errno(), f"{os.strerror(ctypes.get_errno())}: {self.kind} {self.options}")

    def show(self, what):
        # An ACL that a network file system makes up, and which no other one has.
        lines = [" ".join(word for word in words if not word.startswith("system.nfs4_acl="))
                 for words in treedump.Dump(self.root, TIME + 1).lines()]
        save(self.out, what, sorted(lines))

    def numbers(self):
        """{path: (device, inode number)} by stat(2), and complaints about readdir(3)."""
        numbers, complaints = {}, []
        for where, names, _ in os.walk(self.root):
            with os.scandir(where) as entries:
                for entry in entries:
                    info = os.lstat(entry.path)
                    path = os.path.relpath(entry.path, self.root)
                    numbers[path] = (info.st_dev, info.st_ino)
                    if entry.inode() != info.st_ino:
                        complaints.append(f"{path}: readdir(3) says another number")
        return numbers, complaints


def differences(before, after, paths, i, what):
    return [f"{path}: {what}" for path in paths if before[path][i] != after[path][i]]


def live(kind, options, root, out, judge=""):
    """A judge is only asked what the changes come to."""
    with Mount(kind, options, root, out) as mount:
        if not judge:
            mount.show("first")
        before, complaints = mount.numbers()
        os.chdir(root)
        answers = change()
        changed, more = mount.numbers()
        complaints += more + differences(before, changed, COPIED_UP, 0, "copying up changes its device")
        complaints += differences(before, changed, COPIED_UP, 1, "copying up changes its number")
        if changed["dir/changed"] != changed["dir/again"]:
            complaints.append("dir/again: is another file than dir/changed")
        mount.show("changed")
    with Mount(kind, options, root, out) as mount:
        again, more = mount.numbers()
        # Devices are given out anew at each mount, and to directories of several file systems numbers, too.
        files = [path for path in COPIED_UP if not os.path.isdir(os.path.join(root, path))]
        complaints += more + differences(changed, again, files, 1, "mounting again changes its number")
        if not judge:
            mount.show("again")
    save(out, "answers", answers)
    save(out, "identity", sorted(set(complaints)))


# Names without case ---------------------------------------------------------------------------------------------------

def fold_layers(root):
    os.mkdir(f"{root}/low/Dir")
    write(f"{root}/low/Dir/File", b"low")
    write(f"{root}/low/Dir/Other", b"other")
    write(f"{root}/low/Hidden", b"hidden")
    write(f"{root}/low/Grün", b"green")
    os.mkdir(f"{root}/low/Empty")
    os.mkdir(f"{root}/top/dir")
    write(f"{root}/top/dir/FILE", b"top")
    os.mknod(f"{root}/top/HIDDEN", stat.S_IFCHR, os.makedev(0, 0))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def names(path):
    return sorted(name.encode().decode("ascii", "backslashreplace") for name in os.listdir(path))


# The text is what the function returns, or the error.
FOLDS = [
    ("the root", lambda: names(".")),
    ("a directory of both", lambda: names("DIR")),
    ("a file of both", lambda: read("dIR/fILE")),
    ("a file of the lower", lambda: read("diR/OTHER")),
    ("letters beyond ASCII", lambda: read("GR\u00dcN")),
    ("what is hidden", lambda: read("hidden")),
    ("write to the lower", lambda: write("DIR/other", b" and more")),
    ("read that", lambda: read("Dir/Other")),
    ("ask for what is not there", lambda: os.path.exists("Made")),
    ("then make it", lambda: write("MADE", b"made", "xb")),
    ("and find it", lambda: read("made")),
    ("make a directory", lambda: os.mkdir("New")),
    ("it folds, too", lambda: write("new/One", b"1") or read("NEW/ONE")),
    ("move", lambda: os.rename("made", "NEW/Moved")),
    ("link", lambda: os.link("new/moved", "Link")),
    ("move a directory", lambda: os.rename("dir", "Elsewhere")),
    ("look into it", lambda: read("elsewhere/OTHER")),
    ("its old name", lambda: os.path.exists("Dir")),
]
FOLDS_AGAIN = [
    ("the root", lambda: names(".")),
    ("what was moved", lambda: sorted(name.lower() for name in names("ELSEWHERE"))),
    ("what was made", lambda: names("NEW")),
    ("content", lambda: read("elsewhere/otheR")),
]
# overlayfs of 7.3 answers EINVAL when a name of a lower layer is to be removed.
FOLD_REMOVALS = [
    ("remove a file", lambda: os.unlink("elsewhere/file")),
    ("it is gone", lambda: os.path.exists("Elsewhere/File")),
    ("make it again", lambda: write("elsewhere/fiLE", b"new", "xb")),
    ("once only", lambda: write("elsewhere/FIle", b"new", "xb")),
    ("read what is new", lambda: read("elsewhere/FILE")),
    ("remove a lower file", lambda: os.unlink("gr\u00dcn")),
    ("remove an empty directory", lambda: os.rmdir("EMPTY")),
    ("make it under another name", lambda: os.mkdir("eMPTY")),
    ("it is empty", lambda: names("Empty")),
]
FOLDS_LAST = [
    ("the root", lambda: sorted(name.lower() for name in names("."))),
    ("what was made again", lambda: read("elsewhere/File")),
    ("what was removed", lambda: os.path.exists("Gr\u00fcn")),
]


def answers_of(operations):
    for name, operation in operations:
        try:
            yield f"{name}: {operation()}"
        except OSError as error:
            yield f"{name}: {errno.errorcode[error.errno]}"


def folds(kind, options, root, out, judge=""):
    lines = []
    for operations in (FOLDS, FOLDS_AGAIN) if judge else (FOLDS, FOLDS_AGAIN, FOLD_REMOVALS, FOLDS_LAST):
        with Mount(kind, options, root, out):
            os.chdir(root)
            lines += [*answers_of(operations), ""]
    save(out, "folded", lines)


def save(out, what, lines):
    with open(f"{out}.{what}", "w", encoding="ascii") as file:
        file.writelines(line + "\n" for line in lines)


def main():
    {"layers": make_layers, "live": live, "fold_layers": fold_layers, "folds": folds}[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
