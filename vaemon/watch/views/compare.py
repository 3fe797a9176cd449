"""Several runs compared: their lines in the same charts, their walls side by side, their configs."""

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget

from vaemon.watch.names import COMPARE
from vaemon.watch.render.cells import Row, join, said
from vaemon.watch.views.view import View
from vaemon.watch.widgets.differences import Differences, differing
from vaemon.watch.widgets.entrants import MOST, entrants
from vaemon.watch.widgets.gestures import RunOpened
from vaemon.watch.widgets.legend import Legend
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.overlay import COMPARED, OverlayChart
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture
from vaemon.watch.widgets.walls import Walls

PARTS = ("charts", "walls", "config")
ROOMY = (150, 44)
"""From so many cells and rows on, all parts are seen at once."""
BARE, NARROW = 10, 60
"""Below so many rows there is but the legend; below so many cells, only half of the charts."""


class Parts(Panel):
    """The names of the parts, that which is seen in strong."""

    class Picked(Message):
        """A part was clicked on."""

        def __init__(self, part: str) -> None:
            """Carry its name."""
            super().__init__()
            self.part = part

    part = PARTS[0]

    def rows(self, picture: Picture, width: int, height: int) -> list[Row]:
        """One row."""
        runs = entrants(picture)
        words = {part: part for part in PARTS}
        if len(runs) > 1:
            words["config"] = f"config ({len(differing(runs))} differ)"
        parts: list[Row] = [(said(f" {COMPARE} ", "accent", bold=True),)]
        for part in PARTS:
            seen = part == self.part
            parts.append((said(f"{'▸' if seen else ' '}{words[part]}", "text" if seen else "muted", bold=seen),))
        return [join(parts, said("  "), width)]

    def on_click(self, event: events.Click) -> None:
        """Pick the part that was clicked on."""
        text = "".join(span.text for span in self._rows[0]) if self._rows else ""
        starts = [(text.find(part), part) for part in PARTS]
        picked = [part for start, part in starts if 0 <= start <= event.x]
        if picked:
            self.post_message(self.Picked(picked[-1]))


class CompareView(View):
    """A legend above; below it one of the parts, or all of them where there is room."""

    DEFAULT_CSS = """
    CompareView.-seen { layout: vertical; }
    CompareView Legend { height: 2; }
    CompareView Parts { height: 1; }
    CompareView #parts { height: 1fr; }
    CompareView #overlays { width: 1fr; layout: grid; grid-size: 2 3; grid-gutter: 0 2; display: none; }
    CompareView #aside { width: 1fr; display: none; }
    CompareView Walls, CompareView Differences { height: 1fr; display: none; }

    CompareView.-charts #overlays, CompareView.-walls #aside, CompareView.-config #aside { display: block; }
    CompareView.-walls Walls, CompareView.-config Differences { display: block; }

    CompareView.-roomy Parts { display: none; }
    CompareView.-roomy #overlays, CompareView.-roomy #aside { display: block; }
    CompareView.-roomy Walls, CompareView.-roomy Differences { display: block; }
    CompareView.-roomy #aside { margin-left: 2; width: 42%; }
    CompareView.-roomy Walls { height: 3fr; }
    CompareView.-roomy Differences { height: 2fr; }

    CompareView.-narrow #overlays { grid-size: 1 3; }
    CompareView.-narrow .-second { display: none; }
    CompareView.-bare Parts, CompareView.-bare #parts { display: none; }

    CompareView.-solo #parts { display: block; }
    CompareView.-solo #overlays { grid-size: 1 1; }
    CompareView.-solo .-pane { display: none; }
    CompareView.-solo .-pane.-shown { display: block; }
    CompareView.-solo-chart #aside, CompareView.-solo-aside #overlays { display: none; }
    CompareView.-solo-aside #aside { width: 1fr; margin-left: 0; }
    """
    first = "Legend"

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__(pen)
        self._legend, self._parts = Legend(pen), Parts(pen)
        self._charts = [
            OverlayChart(pen, each, classes="-pane" if i < len(COMPARED) // 2 else "-pane -second")
            for i, each in enumerate(COMPARED)
        ]
        for chart in self._charts[-2:]:
            chart.lowest = True
        self._walls, self._differences = Walls(pen, classes="-pane"), Differences(pen, classes="-pane")
        self._pick(PARTS[0])

    def compose(self) -> ComposeResult:
        """Legend, names of the parts, the parts."""
        yield self._legend
        yield self._parts
        with Horizontal(id="parts"):
            with Vertical(id="overlays"):
                yield from self._charts
            with Vertical(id="aside"):
                yield self._walls
                yield self._differences

    def on_resize(self, event: events.Resize) -> None:
        """Lay out by the room there is."""
        width, height = event.size
        self.set_class(width >= ROOMY[0] and height >= ROOMY[1], "-roomy")
        self.set_class(height < BARE, "-bare")
        self.set_class(width < NARROW, "-narrow")
        self._fit_legend(height)

    def show(self, picture: Picture) -> None:
        """Draw what is not up to date."""
        self._legend.picture = picture
        self._fit_legend(self.size.height)
        super().show(picture)

    def _fit_legend(self, height: int) -> None:
        runs = min(max(len(self._legend.picture.beside), 1), MOST)
        room = height if self.has_class("-bare") else max(height // 4, 3)
        self._legend.styles.height = max(min(runs + 1, room), 1)

    def turn(self) -> None:
        """Show the next of the parts."""
        if not self.has_class("-roomy"):
            self._pick(PARTS[(PARTS.index(self._parts.part) + 1) % len(PARTS)])

    def on_parts_picked(self, message: Parts.Picked) -> None:
        """Show the part that was clicked on."""
        message.stop()
        self._pick(message.part)

    def _pick(self, part: str) -> None:
        self._parts.part = part
        for each in PARTS:
            self.set_class(each == part, f"-{each}")
        if self.is_mounted:
            self._parts.show(self._parts.picture)
            self._legend.focus()

    def move(self, by: int) -> bool:
        """Scroll the table where the keys go there, else show another run."""
        scrolled = self._differences if self._differences.has_focus else self._legend
        if self._differences.display and not self.has_class("-roomy"):
            scrolled = self._differences
        scrolled.move(by)
        return True

    def open(self) -> bool:
        """Go to the run that is shown, where the keys go to the legend."""
        shown = next((run for run in self._legend.picture.beside if run.shown), None)
        if self.solo is not None or not self._legend.has_focus or shown is None:
            return False
        self.post_message(RunOpened(shown.name, shown.address))
        return True

    def enlarge(self, panel: Widget | None) -> None:
        """Give one panel all of the room; the legend has none to be given."""
        panel = None if panel is self._legend else panel
        super().enlarge(panel)
        self.set_class(isinstance(panel, OverlayChart), "-solo-chart")
        self.set_class(panel is self._walls or panel is self._differences, "-solo-aside")
