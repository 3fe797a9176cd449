"""How Textual gets the lines of what stands on a run's screen, at little cost."""

from typing import Self

from textual.containers import Vertical
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from vaemon.watch.widgets.pen import Pen


class Bare(Widget):
    """A widget without border, padding or opacity; by itself it is but ground on which others stand."""

    pen: Pen
    """What it is drawn with."""
    # By Textual's own, a widget that is given another size is painted by that, and once more after it.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=True, repaint=False)

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if changed:
            # Being laid out has it painted; Textual would have it painted once more with the next row that changes.
            self._repaint_regions.clear()
        return changed

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of that part of the widget."""
        # A paint asks all widgets between the topmost and the lowest change, and to look up all the styles that each
        # could have takes Textual longer than all the rest of it.
        return super().render_lines(crop) if self.get_line_filters() else self.bare_lines(crop)

    def bare_lines(self, crop: Region) -> list[Strip]:
        """The lines of that part, before any filter."""
        return [self.pen.blank(crop.width)] * crop.height


class BareScreen(Screen[None], Bare):
    """A screen that is painted once where Textual would paint it two or three times: each is 10 to 25 kB."""

    _is_laid_out = False

    def on_resize(self) -> None:
        """Have been laid out, and thereby painted."""
        self._is_laid_out = True

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Have it painted; where the layout is to change, only what that changes, and nothing before the first one."""
        if self._is_laid_out:
            super().refresh(*regions, repaint=repaint and not layout, layout=layout, recompose=recompose)
        return self


class Column(Vertical, Bare):
    """Holds panels, one below the other unless a style says otherwise."""

    def __init__(self, pen: Pen, *panels: Widget, **options: str | None) -> None:
        """Hold the panels; the options are those of a Textual widget: id, classes."""
        super().__init__(*panels, **options)  # type: ignore[arg-type]
        self.pen = pen
