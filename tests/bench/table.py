"""The bench's tables: what was measured, printed as it comes, and what of it is
over its bound.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import dataclasses
import statistics


@dataclasses.dataclass
class Row:
    what: str
    ours: str
    peer: str = ""
    ratio: float = None
    bound: str = ""
    good: bool = None


class Table:
    """What was measured; printed as it comes."""

    WIDTH = (46, 20, 20, 7, 16)

    def __init__(self):
        self.rows = []

    def title(self, text):
        print(f"\n{text}")
        self.line("", "ours", "peer", "ratio", "bound", "")

    def line(self, *cells):
        print("  " + " ".join(f"{cell:<{width}}" for cell, width in
                              zip(cells, (*self.WIDTH, 0))).rstrip(),
              flush=True)

    def add(self, row):
        self.rows.append(row)
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        verdict = {None: "", True: "ok", False: "OVER"}[row.good]
        self.line(row.what, row.ours, row.peer, ratio, row.bound, verdict)

    def compare(self, what, ours, peer, bound=None, show=str):
        """One figure of each; the bound is on their ratio."""
        ratio = ours / peer if peer else float("inf")
        self.add(Row(what, show(ours), show(peer), ratio,
                     "" if bound is None else f"<= {bound:.2f}",
                     None if bound is None else ratio <= bound))

    def exact(self, what, ours, peer, bound):
        """A count that has a bound of its own."""
        self.add(Row(what, str(ours), "" if peer is None else str(peer), None,
                     f"<= {bound}", ours <= bound))

    def over(self):
        return [row.what for row in self.rows if row.good is False]


class Figure(float):
    """A median that knows its spread."""

    def __new__(cls, values, unit):
        figure = super().__new__(cls, statistics.median(values))
        figure.spread = spread(values)
        figure.unit = unit
        return figure

    def __str__(self):
        return f"{float(self):.3g} ±{self.spread / 2:.2g} {self.unit}"


def spread(values):
    """The width of the middle eight tenths."""
    ordered = sorted(values)
    return ordered[len(ordered) * 9 // 10] - ordered[len(ordered) // 10]
