"""How a person goes from view to view, into what is chosen, and back."""

from textual.widget import Widget

from vaemon.watch.names import HOME, LATENT
from vaemon.watch.screens.looking import Looking
from vaemon.watch.views.catalogue import VIEWS
from vaemon.watch.views.view import View
from vaemon.watch.widgets.events import EventOpened, Events
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.wall import Wall


class Going(Looking):
    """A screen that shows one of several views, each mounted when it is first gone to."""

    pen: Pen
    number: int
    """Which of the views is seen."""
    _views: dict[int, View]
    """Those that are mounted."""
    _trail: tuple[int, ...] = ()
    """The views seen before, which esc leads back to."""
    sought: tuple[int, int, int] | None = None
    """Stage, step and latent of an event to go to once its stage is here."""

    def draw(self) -> None:
        """Draw what is not up to date."""
        raise NotImplementedError

    def action_pause(self) -> None:
        """Let the picture stand still, or go on."""
        raise NotImplementedError

    @property
    def view(self) -> View:
        """The body that is seen."""
        return self._views[self.number]

    def focus_first(self) -> None:
        """Let the keys go to the first panel of the view that there is to be seen."""
        panels = self.view.query(self.view.first) if self.view.first else ()
        panel = next((each for each in panels if each.display), None)
        self.set_focus(panel)

    async def action_view(self, number: int) -> None:
        """See another view, or another part of the same one."""
        if number == self.number:
            self.view.turn()
            self.call_after_refresh(self.draw)
            return
        if number not in self._views:
            self._views[number] = VIEWS[number](self.pen)
            await self.query_one("#body").mount(self._views[number])
        self.view.remove_class("-seen")
        self._trail = () if number == HOME else (*(each for each in self._trail if each != number), self.number)
        self.number = number
        self.view.add_class("-seen")
        self.focus_first()
        self.ask()
        self.call_after_refresh(self.draw)

    async def action_turn(self, by: int) -> None:
        """See the view after or before this one, round and round."""
        numbers = sorted(VIEWS)
        await self.action_view(numbers[(numbers.index(self.number) + by) % len(numbers)])

    async def action_enter(self) -> None:
        """Go into what is chosen: a latent, an event, a strip of several; make a chart large."""
        panel = self.focused
        if isinstance(panel, Wall) and panel.gathers:
            self.look_so(folded=False)
        elif isinstance(panel, Wall):
            await self.action_view(LATENT)
        elif isinstance(panel, Events) and panel.chosen is not None:
            panel.open()
        elif not self.view.open():
            self.action_enlarge()

    def action_enlarge(self) -> None:
        """Give the panel that the keys go to all of the room, or take it back."""
        self._enlarge(None if self.view.solo is not None else self.focused)

    def _enlarge(self, panel: Widget | None) -> None:
        self.view.enlarge(panel)
        self.call_after_refresh(self.draw)

    async def action_back(self) -> None:
        """One step back: from an enlarged panel, from the crosshair, a pause, a closer look, to the view before."""
        if self.view.solo is not None:
            self._enlarge(None)
        elif self.look.at is not None:
            self.look_so(at=None)
        elif self.look.paused:
            self.action_pause()
        elif self.look.window is not None:
            self.action_zoom(0)
        elif self.number != HOME:
            trail = self._trail
            await self.action_view(trail[-1] if trail else HOME)
            self._trail = trail[:-1]

    async def on_event_opened(self, message: EventOpened) -> None:
        """Go to the moment of an event, on the wall."""
        line = message.line
        if self.number != HOME:
            await self.action_view(HOME)
        self.sought = (line.stage, line.step, line.latent)
        if line.stage != self.shown.stage:
            self.see_stage(line.stage)
        self.go_to_sought()

    def go_to_sought(self) -> None:
        """Go to the event that was asked for, once its stage is here."""
        if self.sought is not None and self.sought[0] == self.shown.stage and not self.shown.loading:
            _, step, latent = self.sought
            self.sought = None
            self.go_to(step, latent)
