#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints docs/netlink.md: what include/netlink/shale.yaml says of the family, for people.

    include/netlink/document.py SHALE.YAML EXAMPLES-DIRECTORY
"""
import pathlib
import sys
import textwrap

import yaml

HEAD = """<!-- SPDX-License-Identifier: GPL-2.0-or-later -->
<!-- Generated from include/netlink/shale.yaml by include/netlink/document.py: do not edit. -->

# The netlink family

{doc}

Generic netlink, family `{name}`, version {version}; where the module goes by the name `overlay`, so does the family. The
numbers are in [linux/shale.h](../include/uapi/linux/shale.h). Whoever asks needs CAP_SYS_ADMIN, and so does who opened the
socket; [security.md](security.md) says more. Unknown attributes are refused. A refusal is an errno with, in the extended
acknowledgement (NETLINK_EXT_ACK), words and where in the request the attribute at fault stands.

Numbers are in the machine's byte order. A path or a comm is bytes without a null among them, in whatever encoding.
"""

EXAMPLES = """
## Clients

Each prints id and source of all mounts. They are run in the tests, and so is [one that goes the whole
way](examples/netlink/stack.py), in Python without a library: it describes a stack, mounts it, finds it in a dump, and
hears of a copy-up.
"""

LANGUAGES = [("Python, with a plain socket", "mounts.py", "python"), ("C, with libnl", "mounts.c", "c"),
             ("C++, with libshale (`pkg-config shale`)", "mounts.cpp", "cpp")]


def one_line(text):
    return " ".join((text or "").split())


def wrapped(text, indent=""):
    """Like what is written by hand; tables can't be."""
    return textwrap.wrap(one_line(text), 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def table(head, rows):
    lines = ["", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return lines


class Family:
    def __init__(self, spec):
        self.spec = spec
        self.sets = {each["name"]: each for each in spec["attribute-sets"]}
        self.definitions = {each["name"]: each for each in spec["definitions"]}

    def constant(self, prefix, name):
        return "SHALE_" + "_".join([prefix, name]).upper().replace("-", "_")

    def type_of(self, attribute):
        kind = attribute["type"]
        if kind == "nest":
            kind = f"nest of [{attribute['nested-attributes']}](#attributes-of-{attribute['nested-attributes']})"
        if "enum" in attribute:
            kind += f" ([{attribute['enum']}](#{attribute['enum']}))"
        if attribute.get("multi-attr"):
            kind += ", repeated"
        return kind

    def limits_of(self, attribute):
        checks = attribute.get("checks", {})
        words = []
        for key, word in (("min", "at least"), ("max", "at most")):
            if key in checks:
                value = checks[key]
                value = self.definitions[value]["value"] if value in self.definitions else value
                words.append(f"{word} {value}")
        return words

    def attribute_rows(self, name):
        for attribute in self.sets[name]["attributes"]:
            words = [one_line(attribute.get("doc"))] if "doc" in attribute else []
            limits = self.limits_of(attribute)
            if limits and limits != ["at least 0"]:
                words.append("(" + ", ".join(limits) + ")")
            yield [f"`{attribute['name']}`", self.type_of(attribute), " ".join(words)]

    def attributes(self, name):
        lines = ["", f"### Attributes of {name}", ""]
        lines += wrapped(f"{self.sets[name].get('doc', '')} `{self.constant('A', name)}_*` in the header.")
        return lines + table(["attribute", "type", ""], self.attribute_rows(name))

    def names(self, attributes):
        return ", ".join(f"`{each}`" for each in attributes)

    def operation(self, operation):
        lines = ["", f"### {operation['name']}", ""]
        lines += wrapped(f"`{self.constant('CMD', operation['name'])}`, "
                         f"[attributes](#attributes-of-{operation['attribute-set']}). {operation['doc']}") + [""]
        do, dump = operation.get("do", {}), operation.get("dump", {})
        for title, part in (("request", do.get("request")), ("reply", do.get("reply")),
                            ("dump, reply", dump.get("reply")), ("has", operation.get("event"))):
            if title.startswith("dump") and part == do.get("reply"):
                part = None
            if title == "reply" and dump and part == dump.get("reply"):
                title = "reply, of a dump as well"
            if part:
                lines += wrapped(f"- {title}: {self.names(part['attributes'])}", "  ")
        return lines

    def enum(self, definition):
        lines = ["", f"### {definition['name']}", ""] + wrapped(definition["doc"])
        start = definition.get("value-start", 0)
        rows = [[str(start + i), f"`{entry['name']}`", one_line(entry.get("doc"))]
                for i, entry in enumerate(definition["entries"])]
        return lines + table(["number", "name", ""], rows)

    def lines(self):
        operations = self.spec["operations"]["list"]
        lines = ["", "## Commands"]
        for operation in operations:
            if "event" not in operation:
                lines += self.operation(operation)
        lines += ["", "## Events", "",
                  "A socket that joined multicast groups, and was given an address by bind(2), is sent events of mounts; groups: "
                  + self.names(each["name"] for each in self.spec["mcast-groups"]["list"]) + "."]
        for operation in operations:
            if "event" in operation:
                lines += self.operation(operation)
        for definition in self.definitions.values():
            if definition["type"] == "enum":
                lines += self.enum(definition)
        lines += ["", "## Attributes"]
        for name in self.sets:
            lines += self.attributes(name)
        lines += ["", "## Constants"]
        lines += table(["constant", "value", ""],
                       [[f"`SHALE_{name.upper().replace('-', '_')}`", str(each["value"]), one_line(each.get("doc"))]
                        for name, each in self.definitions.items() if each["type"] == "const"])
        return lines


def main(spec_path, examples):
    with open(spec_path, encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    print(HEAD.format(doc="\n".join(wrapped(spec["doc"])), name=spec["name"], version=spec.get("version", 1)), end="")
    print("\n".join(Family(spec).lines()))
    print(EXAMPLES, end="")
    for title, name, language in LANGUAGES:
        print(f"\n[{title}](examples/netlink/{name}):\n\n```{language}")
        print((pathlib.Path(examples) / name).read_text(encoding="utf-8"), end="")
        print("```")


main(*sys.argv[1:])
