"""The first view: the latent wall, with charts and the newest events beside it."""

from textual.app import ComposeResult
from textual.widget import Widget

from vaemon.watch.views.view import View, shared
from vaemon.watch.widgets.bare import Column
from vaemon.watch.widgets.chart import QUANTITIES, Chart, ChartAxis, charted, put_up
from vaemon.watch.widgets.events import Events
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture
from vaemon.watch.widgets.wall import Wall

BESIDE = 4
"""Charts beside the wall."""


class HomeView(View):
    """Drawn so that all panels share the time axis of the wall."""

    DEFAULT_CSS = """
    HomeView.-seen { layout: horizontal; }
    HomeView Wall { width: 1fr; height: 1fr; margin-right: 1; }
    HomeView #side { width: 32; height: 1fr; }
    HomeView Chart { height: 1fr; }
    HomeView Chart.-off { display: none; }
    HomeView ChartAxis { height: 1; }
    HomeView Events { height: 3; }
    HomeView.-scalars Wall { display: none; }
    HomeView.-scalars #side { width: 1fr; }
    HomeView.-solo #side { display: none; }
    HomeView.-solo-side #side { display: block; width: 1fr; }
    HomeView.-solo-side Wall { display: none; }
    """
    first = "Wall"
    lists = "latents"

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__(pen)
        self.wall, self.events = Wall(pen, classes="-pane"), Events(pen, classes="-pane")
        self.charts = [Chart(pen, quantity, classes="-pane") for quantity in QUANTITIES[:BESIDE]]
        self._axis = ChartAxis(pen, classes="-axis")
        self._side = Column(pen, id="side")

    def compose(self) -> ComposeResult:
        """The wall at the left, charts and events at the right."""
        yield self.wall
        with self._side:
            yield from (*self.charts, self._axis, self.events)

    def show(self, picture: Picture) -> None:
        """Draw what is not up to date."""
        self.set_class(bool(picture.view.rows) and not picture.view.latents, "-scalars")
        self.wall.show(picture)
        if self._side.is_attached:  # a picture may come before the screen is there, or while it goes
            new = put_up(self.charts, charted(picture.columns)[:BESIDE], self.pen)
            if new:
                self._side.mount(*new, before=self._axis)
        picture = shared(picture, self.wall)
        for panel in (*self.charts, self._axis, self.events):
            panel.show(picture)

    def move(self, by: int) -> bool:
        """Up and down in the events where the keys go there, else in the wall."""
        (self.events if self.events.has_focus else self.wall).move(by)
        return True

    @property
    def gathers(self) -> bool:
        """Whether the chosen strip of the wall is of several latents."""
        return self.wall.display and self.wall.gathers

    def enlarge(self, panel: Widget | None) -> None:
        """Give one panel all of the room."""
        super().enlarge(panel)
        self.set_class(panel is not None and panel is not self.wall, "-solo-side")
        for chart in self.charts:
            chart.alone = chart is panel
