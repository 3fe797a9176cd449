"""All commands by name, for the palette: the keys' own, the latents, the runs, the colours."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from vaemon.view.signs import safe
from vaemon.watch.screens.bindings import RUN_KEYS, display
from vaemon.watch.screens.run import RunScreen
from vaemon.watch.widgets.gestures import ChosenLatent, RunAsked

if TYPE_CHECKING:
    from vaemon.watch.app import WatchApp

MOST_HITS = 40


class RunCommands(Provider):
    """What can be done on the screen of a run."""

    async def discover(self) -> Hits:
        """All that has a name of its own."""
        for name, what in self._named():
            yield DiscoveryHit(name, what)

    async def search(self, query: str) -> Hits:
        """What fits the words typed, the latents included."""
        matcher, found = self.matcher(query), 0
        for name, what in (*self._named(), *self._latents()):
            if (score := matcher.match(name)) > 0 and found < MOST_HITS:
                found += 1
                yield Hit(score, matcher.highlight(name), what, text=name)

    def _named(self) -> Iterator[tuple[str, Callable[[], object]]]:
        app = cast("WatchApp", self.app)
        for key in RUN_KEYS:
            if key.action not in ("app.command_palette", "back"):
                yield f"{key.description}  ({display(key)})", partial(self._act, key.action)
        yield "colours for a light background", partial(app.use_light, True)
        yield "colours for a dark background", partial(app.use_light, False)
        for seat in app.seats if len(app.seats) > 1 else ():
            yield f"run {_no_markup(seat.name)}", partial(app.post_message, RunAsked(seat.name))

    def _act(self, action: str) -> None:
        self.app.run_worker(self.app.run_action(action, cast("WatchApp", self.app).run_screen))

    def _latents(self) -> Iterator[tuple[str, Callable[[], object]]]:
        screen = self.screen
        if isinstance(screen, RunScreen):
            for latent in range(screen.shown.latents):
                yield f"go to latent z{latent}", partial(screen.post_message, ChosenLatent(latent))


def _no_markup(name: str) -> str:
    # The palette takes what it is given for markup, and would fall over one that does not close.
    return safe(name).replace("[", "(").replace("]", ")")
