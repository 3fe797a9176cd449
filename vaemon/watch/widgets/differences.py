"""In what the configs of the runs that are compared differ, as a table."""

from collections.abc import Sequence

from vaemon.view.config import differences
from vaemon.view.words import NOTHING
from vaemon.watch.render.cells import BLANK, Row, fit, said
from vaemon.watch.widgets.entrants import Entrant, entrants
from vaemon.watch.widgets.gestures import ListMouse
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.picture import Picture

KEY, VALUE = 32, 28
"""Cells of a key, and of a value, at most."""
LEAST = 6
"""Cells of a value at least."""
INDENT, GAP = "   ", 2
"""What stands before a key, and the cells between columns."""


class Differences(Panel, ListMouse, can_focus=True):
    """A line for each key; scrolls."""

    top = 0

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """A title, the runs, the keys with their values."""
        runs = entrants(picture)
        told = differing(runs)
        room = max(height - 2, 0)
        self.top = max(min(self.top, len(told) - room), 0)
        mark = said("▸" if self.has_focus else " ", "accent", bold=True)
        name = said("config", "accent" if self.has_focus else "muted", bold=self.has_focus)
        more = len(told) - self.top - room
        facts = f"  {len(told)} keys differ" if len(told) != 1 else "  1 key differs"
        facts += f", {more} more ↓" if more > 0 else ""
        title = fit((mark, name, said(facts, "muted")), width)
        if not told:
            words = "no other run to compare with" if len(runs) < 2 else "the configs are the same"
            return [title, BLANK, (said(f"   {words}", "muted"),)]
        key = min(max(len(each) for each, _ in told), KEY, width // 3) + GAP
        wanted = [_wanted(i, run, told) for i, run in enumerate(runs)]
        cells = shares(wanted, width - key - len(INDENT) - GAP * len(runs))
        head = self._head(runs, key, cells)
        seen = told[self.top : self.top + room]
        return [title, fit(head, width), *(fit(self._row(*each, key, cells), width) for each in seen)]

    def _head(self, runs: Sequence[Entrant], key: int, cells: Sequence[int]) -> Row:
        row = [said(INDENT + " " * key)]
        for run, wide in zip(runs, cells, strict=True):
            name = self.pen.ellipsis(run.run.name, max(wide - 3, 0))
            row += [said(f"━{run.sign} ", run.ink, bold=True)]
            row += fit((said(name, bold=run.run.shown),), wide - 3 + GAP)
        return tuple(row)

    def _row(self, key: str, values: Sequence[str], wide: int, cells: Sequence[int]) -> Row:
        row = [said(INDENT), *fit((said(self.pen.ellipsis(key, wide - GAP), "muted"),), wide)]
        for value, room in zip(values, cells, strict=True):
            colour = "text" if value != NOTHING else "faint"
            row += fit((said(self.pen.ellipsis(value, room), colour),), room + GAP)
        return tuple(row)

    def move(self, by: int) -> None:
        """Show what is further down."""
        self.top = max(self.top + by, 0)
        self.show(self.picture)


def differing(runs: Sequence[Entrant]) -> list[tuple[str, tuple[str, ...]]]:
    """The keys that differ, and the values; runs that have not begun take no part, and have no values."""
    begun = [i for i, run in enumerate(runs) if run.view.info is not None and run.view.info.created]
    infos = [run.view.info for run in runs]
    configs = [info.config for info in infos if info is not None and info.created]
    found = []
    for key, values in differences(configs):
        row = [NOTHING] * len(runs)
        for place, value in zip(begun, values, strict=True):
            row[place] = value
        found.append((key, tuple(row)))
    return found


def _wanted(i: int, run: Entrant, told: Sequence[tuple[str, Sequence[str]]]) -> int:
    """Cells that the name and the values of a run take, up to a bound."""
    return min(max([len(run.run.name) + 3, *(len(values[i]) for _, values in told)]), VALUE)


def shares(wanted: Sequence[int], room: int) -> list[int]:
    """Cells for each column: all that it wants, or where there is not so much room, the widest give way."""
    given = [0] * len(wanted)
    for left, i in zip(range(len(wanted), 0, -1), sorted(range(len(wanted)), key=wanted.__getitem__), strict=True):
        given[i] = max(min(wanted[i], room // left), LEAST)
        room -= given[i]
    return given
