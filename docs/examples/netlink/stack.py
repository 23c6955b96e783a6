#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Mounts a stack of two directories, finds it among all mounts, opens a file in it for writing and shows the event of
its copy-up: with nothing but sockets and system calls.

    stack.py LOWER UPPER WORK MOUNT-POINT FILE
"""
import ctypes
import os
import socket
import struct
import sys

# linux/netlink.h and linux/genetlink.h
NETLINK_GENERIC, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 16, 270, 1, 10, 11
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_ACK_TLVS, NLMSG_ERROR, NLMSG_DONE = 1, 4, 0x300, 0x200, 2, 3
NLMSGERR_ATTR_MSG, GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 1, 16, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_ATTR_MCAST_GROUPS = 1, 2, 7
CTRL_ATTR_MCAST_GRP_NAME, CTRL_ATTR_MCAST_GRP_ID = 1, 2

# linux/shale.h
SHALE_CMD_NEW, SHALE_CMD_GET = 1, 2
SHALE_A_STACK_LOWER, SHALE_A_STACK_UPPER, SHALE_A_STACK_WORK, SHALE_A_STACK_STACK = 1, 2, 3, 4
SHALE_A_MOUNT_ID, SHALE_A_MOUNT_MAJOR, SHALE_A_MOUNT_MINOR, SHALE_A_MOUNT_SOURCE = 1, 3, 4, 5
SHALE_A_MOUNT_UPPER, SHALE_A_MOUNT_LOWER = 6, 10
SHALE_A_EVENT_MOUNT, SHALE_A_EVENT_PID, SHALE_A_EVENT_PATH, SHALE_A_EVENT_BYTES = 1, 6, 11, 13

# linux/mount.h; the numbers of the system calls are the same on all architectures but alpha
SYS_MOVE_MOUNT, SYS_FSOPEN, SYS_FSCONFIG, SYS_FSMOUNT = 429, 430, 431, 432
FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC, MOVE_MOUNT_F_EMPTY_PATH, AT_FDCWD = 1, 1, 4, -100
FSCONFIG_SET_STRING, FSCONFIG_SET_FD, FSCONFIG_CMD_CREATE = 1, 5, 6


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def attributes(data):
    """Type and value of each."""
    while data:
        length, kind = struct.unpack_from("=HH", data)
        yield kind & 0x3FFF, data[4:length]
        data = data[(length + 3) & ~3:]


def number(value, signed=False):
    return int.from_bytes(value, sys.byteorder, signed=signed)


def text(value):
    return os.fsdecode(value.rstrip(b"\0"))


def messages(sock):
    """Type, flags and what follows, of each message that comes at once."""
    data = sock.recv(1 << 17)
    while data:
        size, kind, flags = struct.unpack_from("=IHH", data)
        yield kind, flags, data[16:size]
        data = data[(size + 3) & ~3:]


def ask(sock, family, command, payload=b"", flags=NLM_F_ACK):
    """Returns the attributes of each message of the answer."""
    sock.send(struct.pack("=IHHIIBBH", 20 + len(payload), family, NLM_F_REQUEST | flags, 1, 0, command, 1, 0) + payload)
    answer = []
    while True:
        for kind, got, body in messages(sock):
            if kind in (NLMSG_ERROR, NLMSG_DONE):
                if not (error := -number(body[:4], signed=True)):
                    return answer
                words = dict(attributes(body[20 if kind == NLMSG_ERROR else 4:] if got & NLM_F_ACK_TLVS else b""))
                raise OSError(error, f"{os.strerror(error)}: {text(words.get(NLMSGERR_ATTR_MSG, b''))}")
            answer.append(dict(attributes(body[4:])))  # of repeated ones the last, which is enough here


def find_family(sock, name):
    """Its number, and the numbers of its multicast groups by name."""
    family, = ask(sock, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, attribute(CTRL_ATTR_FAMILY_NAME, name.encode() + b"\0"))
    groups = [dict(attributes(group)) for _, group in attributes(family[CTRL_ATTR_MCAST_GROUPS])]
    return (number(family[CTRL_ATTR_FAMILY_ID]),
            {text(group[CTRL_ATTR_MCAST_GRP_NAME]): number(group[CTRL_ATTR_MCAST_GRP_ID]) for group in groups})


def describe(sock, family, *layers):
    """A descriptor of the stack, which is pending until it is mounted."""
    fds = [(kind, os.open(path, os.O_PATH | os.O_CLOEXEC)) for kind, path in layers]
    answer, = ask(sock, family, SHALE_CMD_NEW, b"".join(attribute(kind, struct.pack("=i", fd)) for kind, fd in fds))
    for _, fd in fds:
        os.close(fd)
    return number(answer[SHALE_A_STACK_STACK])


def call(nr, *arguments):
    result = libc.syscall(nr, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def mount(stack, source, where):
    context = call(SYS_FSOPEN, b"shale", FSOPEN_CLOEXEC)
    call(SYS_FSCONFIG, context, FSCONFIG_SET_STRING, b"source", source.encode(), 0)
    call(SYS_FSCONFIG, context, FSCONFIG_SET_FD, b"stack", None, stack)
    call(SYS_FSCONFIG, context, FSCONFIG_CMD_CREATE, None, None, 0)
    tree = call(SYS_FSMOUNT, context, FSMOUNT_CLOEXEC, 0)
    call(SYS_MOVE_MOUNT, tree, b"", AT_FDCWD, os.fsencode(where), MOVE_MOUNT_F_EMPTY_PATH)
    for fd in (tree, context, stack):
        os.close(fd)


def find_mount(sock, family, where):
    """What is told of the mount there: it has the device number that its directories show."""
    wanted, found = os.stat(where).st_dev, {}
    for told in ask(sock, family, SHALE_CMD_GET, flags=NLM_F_DUMP):
        found.setdefault(number(told[SHALE_A_MOUNT_ID]), {}).update(told)  # its layers come in further messages
    return next(each for each in found.values()
                if os.makedev(number(each[SHALE_A_MOUNT_MAJOR]), number(each[SHALE_A_MOUNT_MINOR])) == wanted)


def next_event(sock, mount_id):
    while True:
        for _, _, body in messages(sock):
            event = dict(attributes(body[4:]))
            if number(event[SHALE_A_EVENT_MOUNT]) == mount_id:
                return event


lower, upper, work, where, file = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
asking, listening = (socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC) for _ in range(2))
asking.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
asking.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)  # of a refused request only the header comes back
try:
    family, groups = find_family(asking, "shale")
    mount(describe(asking, family, (SHALE_A_STACK_LOWER, lower), (SHALE_A_STACK_UPPER, upper),
                   (SHALE_A_STACK_WORK, work)), "example", where)
    mine = find_mount(asking, family, where)
    print("mount", number(mine[SHALE_A_MOUNT_ID]), text(mine[SHALE_A_MOUNT_SOURCE]), "lower",
          text(mine[SHALE_A_MOUNT_LOWER]), "upper", text(mine[SHALE_A_MOUNT_UPPER]))

    listening.bind((0, 0))  # a socket that has no address hears nothing
    listening.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, groups["copy-ups"])
    listening.settimeout(10)
    os.close(os.open(os.path.join(where, file), os.O_WRONLY))
    event = next_event(listening, number(mine[SHALE_A_MOUNT_ID]))
    print("process", number(event[SHALE_A_EVENT_PID]), "copied up", text(event[SHALE_A_EVENT_PATH]),
          "with", number(event[SHALE_A_EVENT_BYTES]), "bytes")
except OSError as error:
    sys.exit(f"stack.py: {error.strerror or error}")
