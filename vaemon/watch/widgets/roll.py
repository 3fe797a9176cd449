"""The latents as a list: sign of the state, variance, KL; the chosen one marked. One line a latent."""

from collections.abc import Sequence

import numpy as np
from textual import events

from vaemon.batch import Array
from vaemon.latents import LatentState
from vaemon.view.moment import Moment, moment
from vaemon.view.order import settle
from vaemon.view.words import STATE_WORDS
from vaemon.watch.render.cells import Row, fit, said, spread
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.widgets.gestures import ChosenLatent, ListMouse
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture

VARIANCE_SLACK, KL_SLACK = 0.01, 0.05
"""A figure changes once it has moved by more: a last digit that jitters cannot be read."""

HEAD = 2
"""Rows above the latents."""


class Roll(Panel, ListMouse):
    """Scrolls along with the choice."""

    def __init__(self, pen: Pen, **options: str | None) -> None:
        """Draw with `pen`; the options are those of a Textual widget."""
        super().__init__(pen, **options)
        self.top = 0
        """The first place in sight."""
        self._variance: Array = np.zeros(0)
        self._kl: Array = np.zeros(0)

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """A title and as many latents as fit."""
        room, listed = max(height - HEAD, 0), picture.order
        places = np.flatnonzero(listed == picture.chosen)
        if len(places):
            self.top = max(min(self.top, int(places[0])), int(places[0]) + 1 - room)
        self.top = max(min(self.top, len(listed) - room), 0)
        then = moment(picture.view, picture.columns, picture.look.at)
        variance, kl = self._figures(then)
        below = len(listed) - self.top - room
        more = (said(f"↓ {below:,} more ", "muted"),) if below > 0 else ()
        title = spread((said(f" by {picture.look.order}", "muted"),), more, width)
        seen = listed[self.top : self.top + room].tolist()
        names = said(f"{'E[σ²]':>{_digits(picture) + 9}}  {'KL':>4}", "muted")
        return [
            title,
            (names,),
            *(_row(picture, each, then.states[each], variance[each], kl[each], width) for each in seen),
        ]

    def _figures(self, then: Moment) -> tuple[Array, Array]:
        if then.step is not None:
            return then.variance, then.kl
        self._variance = settle(self._variance, then.variance, VARIANCE_SLACK)
        self._kl = settle(self._kl, then.kl, KL_SLACK)
        return self._variance, self._kl

    def move(self, by: int) -> None:
        """Ask for the latent `by` places further down."""
        if (latent := self.picture.further(by)) >= 0:
            self.post_message(ChosenLatent(latent))

    def on_click(self, event: events.Click) -> None:
        """Choose the latent clicked on."""
        place = event.y - HEAD + self.top
        if event.y >= HEAD and place < len(self.picture.order):
            self.post_message(ChosenLatent(int(self.picture.order[place])))


def _row(picture: Picture, latent: int, code: int, variance: float, kl: float, width: int) -> Row:
    state = LatentState(int(code))
    chosen, pinned = latent == picture.chosen, latent in picture.look.pins
    mark = said("▸" if chosen else "◆" if pinned else " ", "accent" if chosen else "good", bold=True)
    sign = said(f"{STATE[state]} ", STATE_WORDS[state])
    name = said(f"{f'z{latent}':<{_digits(picture)}}", "text" if chosen or pinned else "muted", bold=chosen or pinned)
    figures = f"  {_figure(variance)}" + (f"  {kl:5.2f}" if np.isfinite(kl) else "")
    return fit((mark, sign, name, said(figures, "text" if chosen else "muted", bold=chosen)), width)


def _digits(picture: Picture) -> int:
    # Of the longest name.
    return len(f"z{picture.view.latents - 1}")


def _figure(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "  – "
