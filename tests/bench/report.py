#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""report.py DIR: makes tables and plots of what shale-bench has measured.

Reads DIR/counted.json and DIR/timed.json, a line for each case. Prints the tables, which also become DIR/report.md;
the plots are DIR/counted.svg and DIR/timed.svg.
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


class Case:
    """What was measured of one case on one base."""

    def __init__(self, line):
        self.base, self.name, self.samples = line["base"], line["case"], line["samples"]

    def median(self, side):
        """Of one operation; None where the side did not take part."""
        return statistics.median(self.samples[side]) if side in self.samples else None

    def ratios(self, side):
        """To overlayfs, round by round, in order."""
        return sorted(a / b for a, b in zip(self.samples[side], self.samples["overlayfs"]))

    def ratio(self, side):
        """Their median, and where nine of ten lie."""
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


def two_writers(base, cases):
    """How much longer two take for twice the work of one: 1 is side by side, 2 is one after the other."""
    by_name = {case.name: case for case in cases}
    if ONE not in by_name or TWO not in by_name:
        return []
    # Both make the same number of requests in all.
    texts = [f"{side} {2 * by_name[TWO].median(side) / by_name[ONE].median(side):.2f}"
             for side in ("base", "overlayfs", "shale")]
    return [f"Two direct writers, each with the work of one, take so many times as long as one on {base}: "
            + ", ".join(texts) + "."]


def report(clock, bases):
    unit, what = CLOCKS[clock]
    is_time = clock == "timed"
    lines = [f"## {unit.capitalize()}", "", what, ""]
    for base, cases in bases.items():
        lines += [f"### {base}", "", *table(cases, is_time), ""]
        if is_time:
            lines += [line for text in two_writers(base, cases) for line in (text, "")]
    return lines


def plot(path, clock, bases):
    """A dot for each ratio, and a bar where nine of ten rounds lie; grey is overlayfs against itself."""
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
    figure.tight_layout()
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    declaration, rest = drawn.getvalue().split("\n", 1)
    path.write_text(f"{declaration}\n{LICENCE}{rest}")


def main():
    place = Path(sys.argv[1])
    lines = []
    for clock in CLOCKS:
        bases = read(place / f"{clock}.json")
        if not bases:
            sys.exit(f"report.py: {place}/{clock}.json: nothing was measured")
        lines += report(clock, bases)
        plot(place / f"{clock}.svg", clock, bases)
    text = "\n".join(lines).rstrip() + "\n"
    (place / "report.md").write_text(f"{LICENCE}\n{text}")
    print(text, end="")


if __name__ == "__main__":
    main()
