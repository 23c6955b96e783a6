#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""report.py DIR: makes tables and plots of what shale-bench has measured.

Reads DIR/counted.json and DIR/timed.json, a line for each case and number of layers. Prints the tables, which also
become DIR/report.md. The plots are DIR/counted.svg and DIR/timed.svg, of what has one layer, and DIR/layers.svg.
"""

import io
import json
import statistics
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "shale", "svg.fonttype": "none"})
from matplotlib import pyplot  # noqa: E402  (the backend has to be chosen first)

CLOCKS = {
    "counted": ("instructions", "Instructions of the guest's processor, kernel and program together."),
    "timed": ("nanoseconds", "Time. What one round says is within the range given for nine of ten rounds."),
}
# For what is kept in docs/bench.
LICENCE = "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n"
# Direct I/O by two is compared with the time of one as well.
ONE, TWO = "O_DIRECT write of 4 KiB, 1 writer", "O_DIRECT write of 4 KiB, 2 writers"


SIDES = {"base": "plain directory", "overlayfs": "overlayfs", "shale": "Shale"}
# What cases with many layers are of, by their group.
GROUPS = {
    "layers": ("Many layers", "A directory that all layers have, with 10,000 files, which are spread over them."),
    "large": ("A large directory", "The same with 100,000 files."),
    "memory": ("Memory", "How many bytes more the kernel holds for each, in the union's own caches and in those of the layers."),
    "programs": ("Programs", "On trees that are spread over the layers. What the program itself does is in it."),
}


class Case:
    """What was measured of one case on one base."""

    def __init__(self, line):
        self.base, self.name, self.samples = line["base"], line["case"], line["samples"]
        self.group, self.unit, self.layers = line["group"], line["unit"], line.get("layers")

    def median(self, side):
        """Of one operation; None where the side did not take part."""
        return statistics.median(self.samples[side]) if side in self.samples else None

    def ratios(self, side):
        """To overlayfs, round by round, in order."""
        return sorted(a / b for a, b in zip(self.samples[side], self.samples["overlayfs"]))

    def ratio(self, side):
        """Their median, and where nine of ten lie; None where there is nothing to compare with."""
        if side not in self.samples or "overlayfs" not in self.samples:
            return None
        ratios = self.ratios(side)
        out = len(ratios) // 20
        return statistics.median(ratios), ratios[out], ratios[-1 - out]


def read(path):
    """The cases in a file, in their order; by base."""
    bases = {}
    for line in path.read_text().splitlines():
        case = Case(json.loads(line))
        bases.setdefault(case.base, []).append(case)
    return bases


def number(value):
    """Three digits and a unit, as 1.23 k."""
    if value is None:
        return ""
    for unit in ("", " k", " M", " G"):
        if value < 1000:
            break
        value /= 1000
    return f"{value:.{max(0, 2 - len(str(int(value))) + 1)}f}{unit}"


def ratio_text(case, side, is_time):
    if case.ratio(side) is None:
        return ""
    median, low, high = case.ratio(side)
    return f"{median:.2f} ({low:.2f} to {high:.2f})" if is_time else f"{median:.3f}"


def table(cases, is_time):
    lines = ["| | plain directory | overlayfs | Shale | Shale / overlayfs | overlayfs / overlayfs |",
             "|---|--:|--:|--:|--:|--:|"]
    for case in cases:
        cells = [case.name, *(number(case.median(side)) for side in ("base", "overlayfs", "shale")),
                 ratio_text(case, "shale", is_time), ratio_text(case, "again", is_time)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def by_name(cases):
    """Cases of one name, in the order of their layers; names in the order in which they came."""
    names = {}
    for case in cases:
        names.setdefault(case.name, []).append(case)
    return names


def layers_table(cases):
    """A line for each side, a column for each number of layers."""
    depths = sorted({case.layers for case in cases})
    lines = ["| | layers: | " + " | ".join(f"{depth:,}" for depth in depths) + " |", "|---|---|" + "--:|" * len(depths)]
    for name, same in by_name(cases).items():
        at = {case.layers: case for case in same}
        rows = {text: [number(at[depth].median(side)) if depth in at else "" for depth in depths]
                for side, text in SIDES.items()}
        rows |= {text: [ratio_text(at[depth], side, False) if depth in at else "" for depth in depths]
                 for side, text in (("shale", "Shale / overlayfs"), ("again", "overlayfs / overlayfs"))}
        shown = name
        for text, cells in rows.items():
            if any(cells):
                lines.append(f"| {shown} | {text} | " + " | ".join(cells) + " |")
                shown = ""
    return lines


def two_writers(base, cases):
    """How much longer two take for twice the work of one: 1 is side by side, 2 is one after the other."""
    of = {case.name: case for case in cases}
    if ONE not in of or TWO not in of:
        return []
    # Both make the same number of requests in all.
    texts = [f"{side} {2 * of[TWO].median(side) / of[ONE].median(side):.2f}"
             for side in ("base", "overlayfs", "shale")]
    return [f"Two direct writers, each with the work of one, take so many times as long as one on {base}: "
            + ", ".join(texts) + "."]


def report(clock, bases):
    unit, what = CLOCKS[clock]
    is_time = clock == "timed"
    lines = [f"## {unit.capitalize()}", "", what, ""]
    for base, cases in bases.items():
        flat = [case for case in cases if case.layers is None]
        if flat:
            lines += [f"### {base}", "", *table(flat, is_time), ""]
        if is_time:
            lines += [line for text in two_writers(base, flat) for line in (text, "")]
        for group, (title, explained) in GROUPS.items():
            layered = [case for case in cases if case.group == group and case.layers is not None]
            if layered:
                lines += [f"### {title}, {base}", "", explained, "", *layers_table(layered), ""]
    return lines


def finish(figure, path):
    figure.tight_layout()
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    declaration, rest = drawn.getvalue().split("\n", 1)
    path.write_text(f"{declaration}\n{LICENCE}{rest}")


def plot_layers(path, cases):
    """A plot for each case: what it takes with so many layers."""
    names = by_name(cases)
    columns = 3
    figure, axes = pyplot.subplots(-(-len(names) // columns), columns, squeeze=False,
                                   figsize=(4 * columns, 3 * -(-len(names) // columns)))
    for axis in axes.flat[len(names):]:
        axis.set_visible(False)
    for axis, (name, same) in zip(axes.flat, names.items()):
        for side, colour in (("overlayfs", "#b5542c"), ("shale", "#1f6f8b")):
            points = [(case.layers, case.median(side)) for case in same if side in case.samples]
            axis.plot(*zip(*points), "o-", color=colour, markersize=4, label=SIDES[side])
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xticks([case.layers for case in same], [f"{case.layers:,}" for case in same], fontsize=8)
        axis.minorticks_off()
        axis.tick_params(axis="y", labelsize=8)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("layers", fontsize=8)
        axis.set_ylabel(same[0].unit, fontsize=8)
        axis.grid(linewidth=0.3)
    axes[0, 0].legend(fontsize=8)
    finish(figure, path)


def plot(path, clock, bases):
    """A dot for each ratio, and a bar where nine of ten rounds lie; grey is overlayfs against itself."""
    if not bases:
        return
    unit, _ = CLOCKS[clock]
    rows = sum(len(cases) for cases in bases.values())
    figure, axes = pyplot.subplots(len(bases), 1, squeeze=False, figsize=(9, 1.5 + 0.27 * rows),
                                   height_ratios=[len(cases) for cases in bases.values()])
    for axis, (base, cases) in zip(axes[:, 0], bases.items()):
        for row, case in enumerate(cases):
            for side, colour, shift in (("again", "#999999", 0.15), ("shale", "#1f6f8b", -0.15)):
                median, low, high = case.ratio(side)
                axis.plot([low, high], [row + shift] * 2, color=colour, linewidth=2, alpha=0.5)
                axis.plot([median], [row + shift], "o", color=colour, markersize=4,
                          label=None if row else {"again": "overlayfs again", "shale": "Shale"}[side])
        axis.axvline(1, color="black", linewidth=0.8)
        axis.set_xscale("log")
        axis.set_yticks(range(len(cases)), [case.name for case in cases], fontsize=8)
        axis.invert_yaxis()
        axis.set_title(base, loc="left", fontsize=10)
        axis.xaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%.2g"))
        axis.xaxis.set_minor_formatter(matplotlib.ticker.FormatStrFormatter("%.2g"))
        axis.tick_params(axis="x", which="both", labelsize=8)
        axis.grid(axis="x", which="both", linewidth=0.3)
    axes[0, 0].legend(fontsize=8)
    axes[-1, 0].set_xlabel(f"{unit}, as a ratio to overlayfs: less is better")
    finish(figure, path)


def main():
    place = Path(sys.argv[1])
    lines, layered = [], []
    for clock in CLOCKS:
        bases = read(place / f"{clock}.json")
        if not bases:
            continue
        lines += report(clock, bases)
        flat = {base: [case for case in cases if case.layers is None] for base, cases in bases.items()}
        plot(place / f"{clock}.svg", clock, {base: cases for base, cases in flat.items() if cases})
        layered += [case for cases in bases.values() for case in cases if case.group in ("layers", "memory")]
    if not lines:
        sys.exit(f"report.py: {place}: nothing was measured")
    if layered:
        plot_layers(place / "layers.svg", layered)
    text = "\n".join(lines).rstrip() + "\n"
    (place / "report.md").write_text(f"{LICENCE}\n{text}")
    print(text, end="")


if __name__ == "__main__":
    main()
