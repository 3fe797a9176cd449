"""What the benchmarks print: Markdown that bench.py takes into docs/benchmarks.md, aligned for whoever reads it before.

Nothing else goes to standard output; what is for the person who waits goes to standard error (`figures.say`).
"""

from collections.abc import Sequence

import numpy as np

MISSED = "**missed**"


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table below its title: the first column to the left, the others to the right."""
    cells = [[cell.strip().replace("|", r"\|") for cell in row] for row in (head, *rows)]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(head))]
    print(f"\n**{title}**\n")
    for i, row in enumerate(cells):
        first, *others = zip(row, widths, strict=True)
        print("| " + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]) + " |")
        if i == 0:
            print("|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|")


def print_note(text: str) -> None:
    """Print a paragraph."""
    print(f"\n{text}")


def print_absent(names: Sequence[str]) -> None:
    """Say what was not measured, for it is not installed or not asked for; nothing where all was."""
    if names:
        print_note(f"Not measured here: {', '.join(names)}.")


def number(value: float, digits: int = 3) -> str:
    """So many significant digits, and no exponent."""
    if not np.isfinite(value):
        return "-"
    if value >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}" if abs(value) >= 1e-3 or value == 0 else f"{value:.1g}"


class Bars:
    """What is demanded, and whether it was met."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, str, str]] = []

    def at_most(self, what: str, found: float, bar: float, unit: str) -> None:
        self._add(what, found, bar, unit, "≤", found <= bar)

    def at_least(self, what: str, found: float, bar: float, unit: str) -> None:
        self._add(what, found, bar, unit, "≥", found >= bar)

    def either(self, what: str, found: str, bar: str, *, met: bool) -> None:
        """A bar that is more than one number."""
        self._rows.append((what, found, bar, "met" if met else MISSED))

    def _add(self, what: str, found: float, bar: float, unit: str, sign: str, met: bool) -> None:
        self.either(what, f"{number(found)} {unit}", f"{sign} {number(bar)} {unit}", met=met)

    def print(self) -> None:
        """Print them all; nothing where there are none."""
        if self._rows:
            missed = sum(row[-1] == MISSED for row in self._rows)
            print_table(
                f"Bars: {len(self._rows) - missed} of {len(self._rows)} met", ("", "found", "bar", ""), self._rows
            )
