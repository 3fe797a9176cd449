"""All runs there are, a line each: state, stage, step, rate, latents, losses, age."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from textual import events

from vaemon.view.filters import says
from vaemon.view.status import Kind
from vaemon.view.summary import steps_words, summary
from vaemon.view.words import NOTHING, number, rate
from vaemon.watch.render.cells import BLANK, Row, fit, said, spread
from vaemon.watch.widgets.columns import STATE, Layout, lay_out
from vaemon.watch.widgets.gestures import ListMouse, RunOpened
from vaemon.watch.widgets.header import COLOURS
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Beside, Picture

NAME = 40
"""Cells of a run's name at most."""
HEADS = ("", "state", "newest row", "active", "inactive", "step", "stage", "rate", "MSE", "KL")
PLACES = (1, 6, 5, 7, 3, 4, 8, 9, 2)
"""The columns after the name, from left to right."""
LOSSES = ("mse", "kl")
"""The channels of the last columns."""
WIDE = 120
"""From so many cells on there are these, too."""


class RunList(Panel, ListMouse, can_focus=True):
    """One of the runs is chosen; it keeps being chosen when the list is sorted anew."""

    top = 0

    def __init__(self, pen: Pen, **options: str | None) -> None:
        """Draw with `pen`; the options are those of a Textual widget."""
        super().__init__(pen, **options)
        self._chosen: tuple[str, str] | None = None

    def listed(self, picture: Picture) -> list[Beside]:
        """The runs that the filter lets through."""
        text = picture.look.filters.get("runs", "")
        return [each for each in picture.beside if says(text, f"{each.name} {each.status.words}")]

    def _place(self, runs: Sequence[Beside]) -> int:
        chosen = next((i for i, each in enumerate(runs) if (each.name, each.address) == self._chosen), None)
        return chosen if chosen is not None else next((i for i, each in enumerate(runs) if each.shown), 0)

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """A title with headings, and as many runs as fit."""
        runs, room = self.listed(picture), max(height - 2, 0)
        place = self._place(runs)
        self.top = max(min(self.top, place), place + 1 - room)
        self.top = max(min(self.top, len(runs) - room), 0)
        title = self._title(picture, len(runs), len(runs) - self.top - room, width)
        if not runs:
            return [title, BLANK, (said("   none" if picture.beside else "   looking …", "muted"),)]
        seen = runs[self.top : self.top + room]
        heads = HEADS if width >= WIDE else HEADS[: -len(LOSSES)]
        lines = [_cells(each) for each in seen]
        name = min(max(cell_len(each.name) for each in runs), NAME, max(width // 3, 8))
        made = lay_out(heads, lines, name, width - 4, PLACES)
        head = [said(" " * (4 + name)), *(said(made.set(heads, i), "muted") for i in made.kept)]
        body = [
            _row(each, line, made, self.pen.ellipsis(each.name, name), self.top + i == place)
            for i, (each, line) in enumerate(zip(seen, lines, strict=True))
        ]
        return [title, fit(tuple(head), width), *(fit(row, width) for row in body)]

    def _title(self, picture: Picture, count: int, more: int, width: int) -> Row:
        text, every = picture.look.filters.get("runs", ""), len(picture.beside)
        facts = f"  {count:,} of {every:,} with “{text}”" if text else f"  {every:,}"
        if any(not each.watched for each in picture.beside):
            facts += "  ◆ watched"
        mark = said("▸" if self.has_focus else " ", "accent", bold=True)
        name = said("runs", "accent" if self.has_focus else "muted", bold=self.has_focus)
        aside = (said(f"{more:,} more ↓ ", "muted"),) if more > 0 else ()
        return spread((mark, name, said(facts, "muted")), aside, width)

    def move(self, by: int) -> None:
        """Choose another run, `by` lines further down."""
        runs = self.listed(self.picture)
        if runs:
            self._choose(runs[min(max(self._place(runs) + by, 0), len(runs) - 1)])

    def _choose(self, run: Beside) -> None:
        self._chosen = run.name, run.address
        self.show(self.picture)

    def open(self) -> bool:
        """Show the chosen run; False where there is none."""
        runs = self.listed(self.picture)
        if not runs:
            return False
        run = runs[self._place(runs)]
        self.post_message(RunOpened(run.name, run.address))
        return True

    def on_click(self, event: events.Click) -> None:
        """Choose the run clicked on; open it where it was chosen already."""
        runs, row = self.listed(self.picture), event.y - 2 + self.top
        if event.y < 2 or row >= len(runs):
            return
        if row == self._place(runs):
            self.open()
        else:
            self._choose(runs[row])


def _cells(run: Beside) -> list[str]:
    """What a line says, in the order of `HEADS`; the name is put there by whoever draws it."""
    told, status = summary(run.view), run.status
    goes_on = status.kind is Kind.RUNNING
    counts = [f"{count}/{told.latents}" if told.latents else "" for count in (told.active, told.inactive)]
    return [
        "",
        f"{status.sign} {status.words}",
        status.age or (NOTHING if run.watched else ""),
        *counts,
        steps_words(told.step, told.total_steps) if run.view.latest is not None else "",
        str(told.stage or ""),
        rate(told.rate) if goes_on else "",
        *(_newest(run, channel) for channel in LOSSES),
    ]


def _newest(run: Beside, channel: str) -> str:
    latest = run.view.latest
    return number(float(latest.smoothed[channel])) if latest is not None and channel in latest.smoothed else ""


def _row(run: Beside, line: list[str], made: Layout, name: str, chosen: bool) -> Row:
    row = [
        said("▸" if chosen else " ", "accent", bold=True),
        said("◆ " if run.watched else "  ", "accent"),
        said(set_cell_size(name, made.widths[0]) + " ", "text" if run.watched or chosen else "muted", bold=chosen),
    ]
    colours = {STATE: COLOURS[run.status.kind]}
    row += [said(made.set(line, i), colours.get(i, "text"), bold=chosen) for i in made.kept]
    if run.status.reason and not run.view.latest:
        row.append(said(f"  {run.status.reason}", "muted"))
    return tuple(row)
