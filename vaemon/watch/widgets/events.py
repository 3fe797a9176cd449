"""The newest events of the run, a line each: wakes, falls asleep, stages, checkpoints, ends."""

from collections.abc import Sequence

from vaemon.batch import Event
from vaemon.latents import LatentState
from vaemon.view.chronicle import Line, chronicle
from vaemon.watch.render.cells import Row, said, spread
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.picture import Picture

_SIGNS = {
    "wake": (STATE[LatentState.ACTIVE], "active"),
    "sleep": (STATE[LatentState.LIMBO], "limbo"),
    "stage": ("▸", "accent"),
    "checkpoint": ("◆", "accent"),
    "evaluation": ("≈", "good"),
    "resume": ("▸", "accent"),
    "stop": ("■", "warn"),
    "nan": ("✗", "bad"),
    "drop": ("▲", "warn"),
    "error": ("✗", "bad"),
    "recovered": ("●", "good"),
}


class Events(Panel, can_focus=True):
    """The newest first; scrolls to the oldest."""

    top = 0
    """The newest line in sight."""
    _read: tuple[tuple[Event, ...], list[Line]] = ((), [])

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """A title and as many lines as fit."""
        told = self._told(picture.view.events)
        self.top = max(min(self.top, len(told) - (height - 1)), 0)
        mark = said("▸" if self.has_focus else " ", "accent", bold=True)
        name = said("events", "accent" if self.has_focus else "muted", bold=self.has_focus)
        more = len(told) - self.top - (height - 1)
        aside = (said(f"{more:,} more ↓ ", "muted"),) if more > 0 else ()
        title = spread((mark, name, said(f"  {len(told):,}" if told else "  none yet", "muted")), aside, width)
        stages = len({line.stage for line in told}) > 1
        digits = max((len(f"{line.step:,}") for line in told), default=1)
        return [title, *(_row(line, digits, stages) for line in told[self.top : self.top + max(height - 1, 0)])]

    def _told(self, events: tuple[Event, ...]) -> list[Line]:
        # Most ticks bring no event, and a long run has many.
        if self._read[0] is not events:
            self._read = (events, chronicle(events))
        return self._read[1]

    def move(self, by: int) -> None:
        """Show older events."""
        self.top += by
        self.show(self.picture)

    def on_mouse_scroll_down(self) -> None:
        """Show older events."""
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        """Show newer events."""
        self.move(-1)


def _row(line: Line, digits: int, stages: bool) -> Row:
    sign, colour = _SIGNS.get(line.kind, ("·", "muted"))
    stage = f" {line.stage}:" if stages else " "
    return (said(f"{stage}{line.step:>{digits},}  ", "muted"), said(f"{sign} ", colour), said(line.text))
