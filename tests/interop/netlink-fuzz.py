#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends messages at random to the module's netlink family, with plain sockets: what the specification allows, and what
it does not. Prints how often each errno came; exits with 1 when the family no longer answers.

    netlink-fuzz.py SPEC SECONDS SEED DIR...

DIR are directories whose descriptors are sent, some of them in mounts.
"""
import os
import random
import socket
import struct
import sys
import time
from collections import Counter
from errno import errorcode

import yaml

NETLINK_GENERIC, GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 16, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 1, 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLA_F_NESTED = 0x8000
FORMATS = {"u8": "B", "u16": "H", "u32": "I", "s32": "i", "u64": "Q"}


def attribute(kind, payload, length=None):
    length = 4 + len(payload) if length is None else length
    return struct.pack("HH", length & 0xFFFF, kind & 0xFFFF) + payload + b"\0" * (-len(payload) % 4)


def attributes(data):
    while len(data) >= 4:
        length, kind = struct.unpack_from("HH", data)
        if length < 4:
            return
        yield kind & 0x3FFF, data[4:length]
        data = data[(length + 3) & ~3:]


class Family:
    def __init__(self, name):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket.settimeout(5)
        self.number = None
        self.send(self.message(CTRL_CMD_GETFAMILY, attribute(CTRL_ATTR_FAMILY_NAME, name.encode() + b"\0"),
                               NLM_F_REQUEST, GENL_ID_CTRL))
        for message in self.messages():
            for kind, value in attributes(message[20:]):
                if kind == CTRL_ATTR_FAMILY_ID:
                    self.number = struct.unpack("H", value)[0]
        if self.number is None:
            sys.exit(f"netlink-fuzz: there is no family {name}")

    def message(self, command, payload, flags, number=None):
        return struct.pack("IHHIIBBH", 20 + len(payload), number or self.number, flags, 1, 0, command, 1, 0) + payload

    def send(self, message):
        self.socket.send(message)

    def messages(self):
        data = self.socket.recv(1 << 20)
        while len(data) >= 16:
            length = struct.unpack_from("I", data)[0]
            yield data[:length]
            data = data[(length + 3) & ~3:]

    def answers(self):
        """All messages up to an error, or the end of a list, or nothing more for a moment."""
        multi = True
        while multi:
            multi = False
            for message in self.messages():
                _, kind, flags = struct.unpack_from("IHH", message)
                yield kind, message
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    return
                multi = True


class Fuzzer:
    def __init__(self, spec, dirs, seed):
        self.dice = random.Random(seed)
        self.sets = {entry["name"]: entry["attributes"] for entry in spec["attribute-sets"]}
        self.commands = list(enumerate(spec["operations"]["list"], 1))
        self.names = {number: entry["name"] for number, entry in self.commands}
        self.dirs = [os.open(path, os.O_PATH) for path in dirs]
        pipe = os.pipe()
        self.others = [pipe[0], pipe[1], os.open("/proc/self/status", os.O_RDONLY), 9999, -1, 0]
        self.results = Counter()

    def number_for(self, kind):
        small = self.dice.choice([0, 1, 2, 3, 7, self.dice.randrange(200)])
        bits = {"u8": 8, "u16": 16, "u32": 32, "s32": 31, "u64": 64}[kind]
        return self.dice.choice([small, small, small, self.dice.getrandbits(bits), (1 << bits) - 1])

    def value(self, entry, depth):
        kind = entry["type"]
        if kind == "s32":
            return struct.pack("i", self.dice.choice(self.dirs + self.dirs + self.others))
        if kind in FORMATS:
            return struct.pack(FORMATS[kind], self.number_for(kind))
        if kind == "nest" and depth < 30:
            return self.some(self.sets[entry["nested-attributes"]], depth + 1)
        if kind == "string":
            return self.dice.randbytes(self.dice.randrange(40)) + self.dice.choice([b"", b"\0"])
        return b""

    def one(self, entries, depth, asked=()):
        number = self.dice.randrange(len(entries))
        if asked and self.dice.randrange(10):
            wanted = self.dice.choice(asked)
            number = next(at for at, entry in enumerate(entries) if entry["name"] == wanted)
        payload = self.value(entries[number], depth)
        kind, length, trick = number + 1, None, self.dice.randrange(60)
        if trick == 0:
            payload = self.dice.randbytes(self.dice.randrange(70))
        elif trick == 1:
            length = self.dice.randrange(0x10000)
        elif trick == 2:
            kind = self.dice.randrange(0x10000)
        elif trick == 3:
            kind |= NLA_F_NESTED
        elif trick == 4:
            payload = b""
            for _ in range(self.dice.randrange(40)):
                payload = attribute(NLA_F_NESTED | kind, payload)
        return attribute(kind, payload, length)

    def some(self, entries, depth, asked=()):
        count = self.dice.choice([0, 1, 1, 1, 1, 2, 2, 3, 4, 100])
        return b"".join(self.one(entries, depth, asked) for _ in range(count))

    def shot(self, family):
        command, entry = self.dice.choice(self.commands)
        if not self.dice.randrange(50):
            command = self.dice.randrange(256)
        asked = entry.get("do", {}).get("request", {}).get("attributes", ())
        payload = self.some(self.sets[entry["attribute-set"]], 0, asked)
        if not self.dice.randrange(40):
            payload = payload[:self.dice.randrange(len(payload) + 1)]
        flags = NLM_F_REQUEST | NLM_F_ACK | self.dice.choice([0, 0, 0, NLM_F_DUMP, self.dice.getrandbits(16)])
        before = set(os.listdir("/proc/self/fd"))
        family.send(family.message(command, payload, flags))
        self.take(family, self.names.get(command, "unknown"))
        # A descriptor that came, of a stack or a hold, is kept for a while, to be sent in its turn.
        for name in set(os.listdir("/proc/self/fd")) - before:
            if os.path.exists(f"/proc/self/fd/{name}"):
                self.others.append(int(name))
        while len(self.others) > 12:
            os.close(self.others.pop(6))

    def take(self, family, name):
        try:
            for kind, message in family.answers():
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    error = -struct.unpack_from("i", message, 16)[0] if len(message) >= 20 else 0
                    self.results[name, errorcode.get(error, "ok" if not error else str(error))] += 1
        except TimeoutError:
            self.results[name, "no answer"] += 1


def main():
    path, seconds, seed, *dirs = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    name = os.environ.get("SHALE_MODULE") or spec["name"]
    family, fuzzer = Family(name), Fuzzer(spec, dirs, int(seed))
    end, shots = time.monotonic() + float(seconds), 0
    while time.monotonic() < end:
        fuzzer.shot(family)
        shots += 1
        if not shots % 200:
            family = Family(name)
    for (command, result), count in sorted(fuzzer.results.items()):
        print(f"# {command}: {result} {count}")
    print(f"# {shots} messages, seed {seed}")
    if not fuzzer.results["get", "ok"]:
        sys.exit("netlink-fuzz: no request was answered")


main()
