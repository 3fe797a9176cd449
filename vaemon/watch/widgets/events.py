"""The events of the run, a line each, the newest first: wakes, falls asleep, stages, checkpoints, ends."""

from collections.abc import Sequence

from textual import events
from textual.message import Message

from vaemon.batch import Event
from vaemon.view.chronicle import Chronicle, Line
from vaemon.view.filters import says
from vaemon.watch.render.cells import Row, length, said, spread
from vaemon.watch.widgets.data import Numbers, PanelData
from vaemon.watch.widgets.gestures import ListMouse
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.marks import OTHER, SIGNS
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture

MOST = 20_000
"""So many of the newest events are listed, at most: it takes a tick to make all their lines."""
AT_A_STROKE = MOST // 4
"""So many of the oldest are then left out at once: between, only lines of new events are made."""


class EventOpened(Message):
    """A person wants to see the moment of an event."""

    def __init__(self, line: Line) -> None:
        """Carry the line."""
        super().__init__()
        self.line = line


class Events(Panel, ListMouse, Numbers, can_focus=True):
    """The newest first; scrolls to the oldest."""

    top = 0
    """The newest line in sight."""
    _read: tuple[tuple[Event, ...], str, list[Line]] = ((), "", [])

    def __init__(self, pen: Pen, *, chooses: bool = False, **options: str | None) -> None:
        """Draw with `pen`.

        Args:
            pen: colours and signs.
            chooses: whether one of the lines is chosen, rather than the list being scrolled only.
            options: those of a Textual widget.
        """
        super().__init__(pen, **options)
        self._chooses = chooses
        self._chronicle = Chronicle()
        self.place = 0
        """The chosen line, counted from the newest."""

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """A title and as many lines as fit."""
        told, room = self._told(picture), max(height - 1, 0)
        self.place = max(min(self.place, len(told) - 1), 0)
        if self._chooses:
            self.top = max(min(self.top, self.place), self.place + 1 - room)
        self.top = max(min(self.top, len(told) - room), 0)
        mark = said("▸" if self.has_focus else " ", "accent", bold=True)
        name = said("events", "accent" if self.has_focus else "muted", bold=self.has_focus)
        more = len(told) - self.top - room
        aside = (said(f"{more:,} more ↓ ", "muted"),) if more > 0 else ()
        title = spread((mark, name, said(f"  {_count(told, picture)}", "muted")), aside, width)
        stages = len({line.stage for line in told}) > 1
        digits = len(f"{max((line.step for line in told), default=0):,}")
        seen = enumerate(told[self.top : self.top + room], start=self.top)
        return [title, *(self._row(line, digits, stages, i, width) for i, line in seen)]

    def _row(self, line: Line, digits: int, stages: bool, place: int, width: int) -> Row:
        chosen = self._chooses and place == self.place
        sign, colour = SIGNS.get(line.kind, OTHER)
        stage = f"{line.stage}:" if stages else ""
        mark = said("▸" if chosen else " ", "accent", bold=True)
        when = said(f"{stage}{line.step:>{digits},}  ", "accent" if chosen else "muted")
        head = (mark, when, said(f"{sign} ", colour))
        return (*head, said(self.pen.ellipsis(line.text, max(width - length(head), 0)), bold=chosen))

    def _told(self, picture: Picture) -> list[Line]:
        # Most ticks bring no event, and a long run has many.
        happened, text = picture.view.events, picture.look.filters.get("events", "")
        if self._read[0] is not happened or self._read[1] != text:
            left_out = max(-(-(len(happened) - MOST) // AT_A_STROKE) * AT_A_STROKE, 0)
            lines = self._chronicle.lines(happened[left_out:])
            if text:
                lines = [line for line in lines if says(text, f"{line.kind} {line.text} {line.step}")]
            self._read = (happened, text, lines)
        return self._read[2]

    @property
    def chosen(self) -> Line | None:
        """The chosen line, or None where there is none."""
        told = self._told(self.picture)
        return told[self.place] if self._chooses and self.place < len(told) else None

    def move(self, by: int) -> None:
        """Choose an older event, or show older ones."""
        if self._chooses:
            self.place += by
        else:
            self.top += by
        self.show(self.picture)

    def data(self) -> PanelData:
        """The events."""
        return PanelData("events", is_events=True)

    def open(self) -> None:
        """Ask for the moment of the chosen event."""
        if (line := self.chosen) is not None:
            self.post_message(EventOpened(line))

    def on_click(self, event: events.Click) -> None:
        """Choose the line clicked on; open it where it was chosen already."""
        row = event.y - 1 + self.top
        told = self._told(self.picture)
        if not 0 <= row < len(told) or event.y < 1:
            return
        if not self._chooses or row == self.place:
            self.post_message(EventOpened(told[row]))
        else:
            self.place = row
            self.show(self.picture)


def _count(told: list[Line], picture: Picture) -> str:
    if not picture.view.events:
        return "none yet"
    text = picture.look.filters.get("events", "")
    return f"{len(told):,}" + (f" with “{text}”" if text else "")
