"""How the dashboard closes by itself, and what it says at the bottom for a while."""

from textual import events
from textual.app import App
from textual.timer import Timer

NOTICE_SECONDS = 10.0
"""What is told stands at the bottom for so long."""


class Closing(App[None]):
    """An app that closes after a while, unless a key is pressed."""

    linger = 5.0
    """Seconds between the wish to close and closing."""
    _closes: float | None = None
    """Seconds to closing."""
    _stays = False
    """Whether a key was pressed when it was about to close."""
    _silence: Timer | None = None

    def say(self, notice: str) -> None:
        """Put a few words at the bottom."""
        raise NotImplementedError

    def tell(self, notice: str) -> None:
        """Put a few words at the bottom for a while."""
        self.say(notice)
        if self._silence is not None:
            self._silence.stop()
        self._silence = self.set_timer(NOTICE_SECONDS, lambda: self.say(""))

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
        self.say(f"closes in {self._closes:.0f} s, any key keeps it open")
        wait = min(self._closes, 1.0)
        self._closes -= wait
        self.set_timer(wait, self._count_down)

    async def on_event(self, event: events.Event) -> None:
        """Take any key as a wish to stay."""
        if isinstance(event, events.Key) and self._closes is not None:
            self._closes, self._stays = None, True
            self.say("")
        await super().on_event(event)
