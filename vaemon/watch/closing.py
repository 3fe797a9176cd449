"""How the dashboard closes by itself."""

from textual import events

from vaemon.watch.answering import Answering


class Closing(Answering):
    """An app that closes after a while, unless a key is pressed."""

    linger = 5.0
    """Seconds between the wish to close and closing."""
    _closes: float | None = None
    """Seconds to closing."""
    _stays = False
    """Whether a key was pressed when it was about to close."""

    def close_soon(self) -> None:
        """Begin to close; once a key has kept it open, it stays."""
        if self._closes is None and not self._stays:
            self._closes = self.linger
            self._count_down()

    def _count_down(self) -> None:
        if self._closes is None:
            return
        if self._closes <= 0:
            self.exit()
            return
        self.run_screen.say(f"closes in {self._closes:.0f} s, any key keeps it open")
        wait = min(self._closes, 1.0)
        self._closes -= wait
        self.set_timer(wait, self._count_down)

    async def on_event(self, event: events.Event) -> None:
        """Take any key as a wish to stay."""
        if isinstance(event, events.Key) and self._closes is not None:
            self._closes, self._stays = None, True
            self.run_screen.say("")
        await super().on_event(event)
