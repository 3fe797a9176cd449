"""What the keys change of how a run is looked at."""

from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
from textual.screen import Screen

from vaemon.batch import Array
from vaemon.view.quote import quote
from vaemon.view.state import RunView
from vaemon.watch.asked import Asked
from vaemon.watch.messages import ReplayAsked, SourceAsked
from vaemon.watch.names import SHORTLY
from vaemon.watch.render.smooth import WEIGHTS
from vaemon.watch.views.view import View
from vaemon.watch.widgets.gestures import ChosenLatent, Panned, RunAsked, Zoomed
from vaemon.watch.widgets.picture import Look, Picture, other_stage
from vaemon.watch.widgets.time import span_of
from vaemon.watch.widgets.window import around, closer, following, further, moved

Choice = TypeVar("Choice", bound=StrEnum)


class Looking(Screen[None]):
    """A screen that shows one run, as the person looks at it."""

    look: Look
    shown: RunView
    """The view that is drawn."""
    stage: int | None = None
    """The stage asked for; None: the newest."""

    @property
    def view(self) -> View:
        """The body that is seen."""
        raise NotImplementedError

    def picture(self) -> Picture:
        """The frame that is due now."""
        raise NotImplementedError

    def draw_soon(self) -> None:
        """Draw as soon as there is somebody to take it."""
        raise NotImplementedError

    def say(self, notice: str, seconds: float | None = None) -> None:
        """Put a few words at the bottom."""
        raise NotImplementedError

    def look_so(self, **changes: Any) -> None:
        """Look differently, and draw; the source is asked for what that needs."""
        self.look = replace(self.look, **changes)
        self.ask()
        self.draw_soon()

    def ask(self) -> None:
        """Tell the app what is wanted of the source now."""
        window = self.look.window
        rows = (window.first, window.last) if window is not None else None
        latent = self.picture().chosen if self.view.asks_latent else None
        latent = None if latent == -1 else latent
        self.post_message(SourceAsked(Asked(self.stage, rows, latent, images=self.view.asks_images)))

    def see(self, view: RunView) -> None:
        """Take a view as the one that is drawn; of another stage, look at it as at first."""
        other = self.shown.stage not in (0, view.stage)
        self.look = self.look.of_stage(view.stage)
        if other:
            self.ask()
        self.shown = view
        self._go_along()

    def _go_along(self) -> None:
        """Let a window that follows the run leap on once it is full."""
        window = following(self.look.window, self.shown.rows)
        if window != self.look.window:
            self.look = replace(self.look, window=window)
            self.ask()

    def on_chosen_latent(self, message: ChosenLatent) -> None:
        """Choose a latent."""
        self.look_so(latent=message.latent)

    def on_zoomed(self, message: Zoomed) -> None:
        """Come closer at the pointer, or go further off."""
        self._zoom(1 if message.closer else -1, self._row_at(message.share))

    def on_panned(self, message: Panned) -> None:
        """Move along the run."""
        if self.look.window is not None:
            self.look_so(window=moved(self.look.window, -message.share, self.shown.rows))

    def _row_at(self, share: float) -> int:
        picture, window = self.picture(), self.look.window
        if not len(picture.columns) and window is not None:
            return window.first
        column = float(span_of(picture, max(self.view.cells, 1)).column(np.array(share)))
        row = round(column * picture.columns.width) + (window.first if window is not None else 0)
        return row if window is not None else max(min(row, self.shown.rows - 1), 0)

    def action_zoom(self, by: int) -> None:
        """Closer, further off, or (0) all of the run."""
        self._zoom(by, self.look.at)

    def _zoom(self, by: int, at: int | None) -> None:
        window, rows = self.look.window, self.shown.rows
        if by == 0:
            self.look_so(window=None)
        else:
            self.look_so(window=closer(window, rows, at) if by > 0 else further(window, rows, at))

    def action_other_stage(self) -> None:
        """Show the next stage of the run; the newest one is then followed."""
        if (asked := other_stage(self.shown)) is not None:
            self.see_stage(asked)

    def see_stage(self, number: int) -> None:
        """Show a stage of the run; where it is the newest, whichever is the newest from now on."""
        info = self.shown.info
        newest = max((stage.number for stage in info.stages), default=0) if info is not None else 0
        self.stage = None if number == newest else number
        self.look = self.look.of_other_rows()
        self.look_so(paused=False)

    def action_order(self) -> None:
        """Sort the latents by something else."""
        self.look_so(order=_next(self.look.order))

    def action_axis(self) -> None:
        """Count time in something else."""
        self.look_so(axis=_next(self.look.axis))

    def action_log(self) -> None:
        """Charts logarithmic, or linear."""
        self.look_so(log=not self.look.log)

    def action_log_time(self) -> None:
        """The time axis logarithmic, or linear."""
        self.look_so(log_time=not self.look.log_time)

    def action_smooth(self) -> None:
        """Charts smoothed more, and raw again."""
        self.look_so(weight=WEIGHTS[(WEIGHTS.index(self.look.weight) + 1) % len(WEIGHTS)])

    def action_pin(self) -> None:
        """Pin the chosen latent, or let it go."""
        chosen = self.picture().chosen
        if self.view.gathers:
            self.say("enter unfolds this strip; one latent is pinned then", SHORTLY)
        elif chosen >= 0:
            pinned = {**self.look.pinned, self.look.stage: self.look.pins ^ {chosen}}
            self.look_so(latent=chosen, pinned=pinned)

    def action_fold(self) -> None:
        """Fold the wall so that all latents are in sight, or unfold it."""
        self.look_so(folded=not self.look.folded)

    def action_cross(self, by: int) -> None:
        """Move the crosshair by a cell; beyond the newest column it is off."""
        if self.view.aside(by):
            return
        picture = self.picture()
        columns, window = picture.columns, self.look.window
        if not len(columns):
            return
        span = span_of(picture, max(self.view.cells, 1))
        at = self.look.at
        column = span.beside(len(columns) if at is None else columns.place(at), by, self.view.cells or self.size.width)
        if column >= len(columns) and (window is None or window.follows):
            self.look_so(at=None)
        else:
            row = min(max((columns.first + column) * columns.width, 0), self.shown.rows - 1)
            self.look_so(at=row, window=around(window, row, self.shown.rows))

    def action_scrub(self, by: float) -> None:
        """Wind a replay on or back, by a share of the run."""
        self.post_message(ReplayAsked(share=by))

    def action_pace(self, times: float) -> None:
        """Replay faster or slower."""
        self.post_message(ReplayAsked(times=times))

    def action_other_run(self, by: int) -> None:
        """Show the next of the runs that are watched, or the one before."""
        self.post_message(RunAsked(by=by))

    def action_move(self, by: int) -> None:
        """Up and down in the list that the keys go to."""
        self.view.move(by)

    def action_copy(self) -> None:
        """Copy the values under the crosshair, or the newest, to the clipboard of the terminal."""
        text = quote(self.shown, self.picture().columns, self.look.at)
        if text:
            self.app.copy_to_clipboard(text)
            self.say(f"copied {text.count(chr(10)) + 1} lines, if the terminal takes them", SHORTLY)

    def action_follow(self) -> None:
        """Crosshair off; a closer look goes to the newest rows."""
        window, rows = self.look.window, self.shown.rows
        if window is not None:
            window = following(replace(window, first=0, follows=True), max(rows, window.size + 1))
        self.look_so(at=None, window=window)

    def action_event(self, by: int) -> None:
        """Move the crosshair to the next event of the stage, or the one before."""
        # By row: the step of an event need not be one that was logged, and the crosshair would stay on it for ever.
        shown, at = self.shown, self.look.at
        events = sorted((each for each in shown.events if each.stage == shown.stage), key=lambda each: each.step)
        rows = rows_of(shown, np.array([each.step for each in events], np.int64))
        here = at if at is not None else shown.rows
        beyond = np.flatnonzero(rows > here) if by > 0 else np.flatnonzero(rows < here)[::-1]
        if len(beyond):
            found = events[int(beyond[0])]
            self.go_to(found.step, found.latent)
        elif by > 0:
            self.action_follow()

    def go_to(self, step: int, latent: int = -1) -> None:
        """Move the crosshair to a step of the stage shown, and choose a latent unless it is -1."""
        row = row_of(self.shown, step)
        chosen = latent if latent >= 0 else self.look.latent
        self.look_so(at=row, latent=chosen, window=around(self.look.window, row, self.shown.rows))


def row_of(view: RunView, step: int) -> int:
    """The row of a step, as far as the columns tell."""
    return int(rows_of(view, np.array([step]))[0])


def rows_of(view: RunView, steps: Array) -> Array:
    """The row of each step, as far as the columns tell; a later step has no earlier row. Shape (n,)."""
    columns = view.columns
    if not len(columns):
        return np.zeros(len(steps), np.int64)
    places = np.minimum(np.searchsorted(columns.step, steps), len(columns) - 1)
    before = np.where(places > 0, columns.step[places - 1], 0)
    within = (steps - before) / np.maximum(columns.step[places] - before, 1)
    rows = np.clip(np.round(within * columns.width).astype(np.int64) - 1, 0, columns.width - 1)
    return np.asarray(places * columns.width + rows)


def _next(choice: Choice) -> Choice:
    choices = list(type(choice))
    return choices[(choices.index(choice) + 1) % len(choices)]
