"""How Textual gets the lines of what stands on a run's screen, at little cost."""

from textual.containers import Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from vaemon.watch.widgets.pen import Pen


class Bare(Widget):
    """A widget without border, padding or opacity; by itself it is but ground on which others stand."""

    pen: Pen
    """What it is drawn with."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of that part of the widget."""
        # A paint asks all widgets between the topmost and the lowest change, and to look up all the styles that each
        # could have takes Textual longer than all the rest of it.
        return super().render_lines(crop) if self.get_line_filters() else self.bare_lines(crop)

    def bare_lines(self, crop: Region) -> list[Strip]:
        """The lines of that part, before any filter."""
        return [self.pen.blank(crop.width)] * crop.height


class Column(Vertical, Bare):
    """Holds panels, one below the other unless a style says otherwise."""

    def __init__(self, pen: Pen, *panels: Widget, **options: str | None) -> None:
        """Hold the panels; the options are those of a Textual widget: id, classes."""
        super().__init__(*panels, **options)  # type: ignore[arg-type]
        self.pen = pen
