#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists the mounts, with nothing but a socket."""
import socket
import struct

GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
SHALE_CMD_GET, SHALE_A_MOUNT_ID, SHALE_A_MOUNT_SOURCE = 2, 1, 5
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLMSG_ERROR, NLMSG_DONE = 1, 4, 0x300, 2, 3

sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)  # NETLINK_GENERIC


def ask(kind, flags, command, payload=b""):
    """Yields the attributes of each message of the answer."""
    sock.send(struct.pack("=IHHIIBBH", 20 + len(payload), kind, NLM_F_REQUEST | flags, 1, 0, command, 1, 0) + payload)
    while True:
        data = sock.recv(1 << 17)
        while data:
            size, got = struct.unpack_from("=IH", data)
            if got in (NLMSG_ERROR, NLMSG_DONE):
                if (error := struct.unpack_from("=i", data, 16)[0]) < 0:
                    raise OSError(-error, "refused")
                return
            message, found = data[20:size], {}
            while message:
                length, attribute = struct.unpack_from("=HH", message)
                found[attribute & 0x3FFF] = message[4:length]
                message = message[(length + 3) & ~3:]
            yield found
            data = data[(size + 3) & ~3:]


name = struct.pack("=HH6sxx", 10, CTRL_ATTR_FAMILY_NAME, b"shale")
family, = [struct.unpack("=H", a[CTRL_ATTR_FAMILY_ID])[0]
           for a in ask(GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY, name)]
for mount in ask(family, NLM_F_DUMP, SHALE_CMD_GET):
    if SHALE_A_MOUNT_SOURCE in mount:  # further messages of the same mount have more of its layers
        print(struct.unpack("=Q", mount[SHALE_A_MOUNT_ID])[0], mount[SHALE_A_MOUNT_SOURCE].rstrip(b"\0").decode())
