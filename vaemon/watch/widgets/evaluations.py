"""The epoch table: what each evaluation of the run has found, the newest last, the best of each column in strong."""

from collections.abc import Sequence

from vaemon.batch import Event, StageInfo
from vaemon.view.evaluations import NAMES, Table, TableRow, table
from vaemon.watch.render.cells import BLANK, Row, said, spread
from vaemon.watch.widgets.gestures import ListMouse
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.picture import Picture

GAP = 2
"""Cells between two columns."""


class Evaluations(Panel, ListMouse, can_focus=True):
    """Scrolls up to the first evaluation, and to the side where there are many columns."""

    up = 0
    """Rows scrolled up from the newest."""
    aside = 0
    """Columns scrolled to the right."""
    _read: tuple[object, Table] = (None, Table())

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """A title, the names of the columns, and as many rows as fit."""
        info = picture.view.info
        told = self._told(picture.view.events, info.stages if info is not None else ())
        room = max(height - 2, 0)
        self.up = max(min(self.up, len(told.rows) - room), 0)
        self.aside = max(min(self.aside, len(told.columns) - 1), 0)
        if not told.rows:
            nothing = "  None yet: recorder.evaluation(mse=…) records one."
            return [self._title(told, 0, 0, width), BLANK, (said(nothing, "muted"),)]
        last = len(told.rows) - self.up
        lines, hidden = _lines(told, self.aside, width)
        return [self._title(told, room, hidden, width), lines[0], *lines[1:][max(last - room, 0) : last]]

    def _told(self, events: tuple[Event, ...], stages: tuple[StageInfo, ...]) -> Table:
        # Most ticks bring no event, and a long run has many.
        if self._read[0] is not events:
            self._read = (events, table(events, stages))
        return self._read[1]

    def _title(self, told: Table, room: int, hidden: int, width: int) -> Row:
        mark = said("▸" if self.has_focus else " ", "accent", bold=True)
        name = said("evaluations", "accent" if self.has_focus else "muted", bold=self.has_focus)
        earlier = len(told.rows) - self.up - room
        parts = [f"{earlier:,} earlier ↑"] if earlier > 0 else []
        parts += [f"{self.up:,} later ↓"] if self.up else []
        parts += [f"{hidden} more column{'s' if hidden != 1 else ''} ← →"] if hidden else []
        count = f"  {len(told.rows):,}" if told.rows else "  none yet"
        return spread((mark, name, said(count, "muted")), (said("  ".join(parts) + " ", "muted"),), width)

    def move(self, by: int) -> None:
        """Scroll down, or up."""
        self.up -= by
        self.show(self.picture)

    def shift(self, by: int) -> None:
        """Show columns further right, or left."""
        self.aside += by
        self.show(self.picture)


def _lines(told: Table, aside: int, width: int) -> tuple[list[Row], int]:
    """The names of the columns and all rows, the columns from `aside` on as far as they fit; how many do not."""
    stages = len({row.stage for row in told.rows}) > 1
    heads = [*(["stage"] if stages else []), "step", "epoch"]
    texts = [_place(row, stages) for row in told.rows]
    names = [NAMES.get(name, name) for name in told.columns]
    sizes = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]
    room = width - 1 - sum(size + GAP for size in sizes)
    chosen: list[tuple[int, int]] = []
    for number in range(aside, len(names)):
        size = max(len(names[number]), *(len(row.cells[number].text) for row in told.rows))
        room -= size + GAP
        if room < 0 and chosen:
            break
        chosen.append((number, size))
    indent = said(" ")
    head = [said(f"{text:>{size}}  ", "muted") for text, size in zip(heads, sizes, strict=True)]
    head += [said(f"{names[number]:>{size}}  ", "muted") for number, size in chosen]
    lines: list[Row] = [(indent, *head)]
    for row, text in zip(told.rows, texts, strict=True):
        cells = [said(f"{each:>{size}}  ", "muted") for each, size in zip(text, sizes, strict=True)]
        for number, size in chosen:
            cell = row.cells[number]
            cells.append(said(f"{cell.text:>{size}}  ", "accent" if cell.best else "text", bold=cell.best))
        lines.append((indent, *cells))
    return lines, len(names) - len(chosen)


def _place(row: TableRow, stages: bool) -> list[str]:
    return [*([str(row.stage)] if stages else []), f"{row.step:,}", row.epoch]
