"""Who is compared: a line for each run, with its letter, how it fares, and its values now or under the crosshair."""

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len, set_cell_size
from textual import events

from vaemon.latents import LatentState
from vaemon.view.summary import steps_words
from vaemon.view.words import NOTHING, number
from vaemon.watch.render.cells import Row, fit, said
from vaemon.watch.widgets.columns import STATE, Layout, lay_out
from vaemon.watch.widgets.entrants import MOST, Entrant, entrants, page_of, stretch
from vaemon.watch.widgets.gestures import ListMouse, RunAsked
from vaemon.watch.widgets.header import COLOURS
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.picture import Picture

VALUES = (("active", "active"), ("mse", "MSE"), ("kl", "KL"), ("gamma", "γ"), ("variance_law", "var. law"))
INACTIVE = ("inactive", "inactive")
NAME = 24
"""Cells of a run's name at most."""
CRAMPED = 60
"""Below so many cells, a state is told by its sign alone."""


class Legend(Panel, ListMouse, can_focus=True):
    """The runs that are compared; that which is shown is marked, and up and down show another."""

    top = 0

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """A heading, and a line for each run."""
        runs = entrants(picture)
        shown = next((i for i, each in enumerate(runs) if each.run.shown), 0)
        self.top = max(min(self.top, shown), shown + 2 - height)
        self.top = max(min(self.top, len(runs) + 1 - height), 0)
        at = stretch(picture, runs).at
        lines = [_cells(each, at, signs_only=width < CRAMPED) for each in runs]
        roomy, stage = width >= CRAMPED, picture.view.stage
        heads = ["", "state" if roomy else "", f"step of stage {stage}" if stage and roomy else "step"]
        heads += [head for _, head in (*VALUES, INACTIVE)]
        words = _words(picture, len(runs)) + (" at ▲" if at is not None else "")
        longest = max((cell_len(each.run.name) for each in runs), default=0)
        name = max(min(longest, NAME, max(width // 4, 8)), len(words) - 3)
        made = lay_out(heads, lines, name, width - 5)
        focused = self.has_focus
        mark = said("▸" if focused else " ", "accent", bold=True)
        title = fit((mark, said(words, "accent" if focused else "text", bold=True)), name + 5)
        body = [
            _row(each, line, made, self.pen.ellipsis(each.run.name, name))
            for each, line in zip(runs, lines, strict=True)
        ]
        head = [said(made.set(heads, i), "muted") for i in made.kept]
        return [fit((*title, *head), width), *(fit(row, width) for row in body[self.top : self.top + height - 1])]

    def move(self, by: int) -> None:
        """Show another run: so many lines further down, at most the last."""
        runs = self.picture.beside
        place = next((i for i, run in enumerate(runs) if run.shown), 0)
        self.ask_for(min(max(place + by, 0), len(runs) - 1))

    def ask_for(self, place: int) -> None:
        """Show the run of a place."""
        runs = self.picture.beside
        if 0 <= place < len(runs) and not runs[place].shown:
            self.post_message(RunAsked(runs[place].name))

    def on_click(self, event: events.Click) -> None:
        """Show the run that was clicked on."""
        if event.y >= 1:
            self.ask_for(page_of(self.picture.beside) + self.top + event.y - 1)


def _words(picture: Picture, count: int) -> str:
    first, every = page_of(picture.beside), len(picture.beside)
    if every > MOST:
        return f"runs {first + 1}-{first + count} of {every}"
    return "1 run" if every == 1 else f"{every} runs"


def _cells(run: Entrant, at: float | None, *, signs_only: bool) -> list[str]:
    """What a line says, column by column; the name goes first, and is cut to its width by whoever draws it."""
    status, view = run.run.status, run.view
    stage = view.info.stage(view.stage) if view.info is not None else None
    column = run.column_at(at) if at is not None else None
    step = steps_words(view.latest.step, stage.total_steps if stage else None) if view.latest is not None else NOTHING
    if at is not None:
        step = f"{int(run.columns.step[column]):,}" if column is not None else NOTHING
    values = [_value(run, name, at, column) for name, _ in (*VALUES, INACTIVE)]
    return ["", status.sign if signs_only else f"{status.sign} {status.words}", step, *values]


def _value(run: Entrant, name: str, at: float | None, column: int | None) -> str:
    view = run.view
    if not len(run.columns) or view.latest is None or (at is not None and column is None):
        return NOTHING
    if name in ("active", "inactive"):
        if not view.latents:
            return NOTHING
        if column is not None:
            return f"{run.counted_at(name, column)}/{view.latents}"
        awake = int(np.count_nonzero(view.states == LatentState.ACTIVE))
        return f"{awake if name == 'active' else view.inactive}/{view.latents}"
    if column is not None:
        return number(float(run.columns.mean[name][column])) if name in run.columns.mean else NOTHING
    return number(float(view.latest.smoothed[name])) if name in view.latest.smoothed else NOTHING


def _row(run: Entrant, line: list[str], made: Layout, name: str) -> Row:
    shown = run.run.shown
    row = [
        said("▸" if shown else " ", "accent", bold=True),
        said(f"━{run.sign} ", run.ink, bold=True),
        said(" " + set_cell_size(name, made.widths[0]), "text", bold=shown),
    ]
    for i in made.kept:
        colour = COLOURS[run.run.status.kind] if i == STATE else "text" if line[i] != NOTHING else "muted"
        row.append(said(made.set(line, i), colour, bold=shown and i != STATE))
    return tuple(row)
