"""Who is told how far the reading of images is, and may stop it."""

import time
from collections.abc import Callable
from typing import BinaryIO

SHOW_EVERY = 0.1
"""Seconds between two sights of a count."""


class Stopped(Exception):
    """Somebody asked to stop while images were read; nothing is half-written."""


def _silent(*_: object) -> None:
    pass


class Watch:
    """Looked to between one picture and the next, so that Ctrl-C is acted on while images are decoded."""

    def __init__(
        self,
        stop: Callable[[], object] = bool,
        show: Callable[[str, int, int], None] = _silent,
        say: Callable[[str], None] = _silent,
    ) -> None:
        """Set it up; by default nothing is shown and nothing stops.

        Args:
            stop: whether to stop, by any value that is true.
            show: takes what is done, how much of it, and how much there is in all (0: not known).
            say: takes a sentence.
        """
        self._stop = stop
        self._show = show
        self._next = 0.0
        self.say = say

    def look(self) -> None:
        """Raise Stopped where somebody asked for it."""
        if self._stop():
            raise Stopped

    def tell(self, what: str, done: int, total: int) -> None:
        """Show how far it is; raise Stopped where somebody asked for it."""
        self.look()
        now = time.monotonic()
        if now >= self._next or done == total:
            self._next = now + SHOW_EVERY
            self._show(what, done, total)


class WatchedFile:
    """A file that looks to a watch at each read, for readers that know nothing of one."""

    def __init__(self, file: BinaryIO, watch: Watch) -> None:
        self._file = file
        self._watch = watch
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        """As a file's; raises Stopped where somebody asked for it."""
        self._watch.look()
        return self._file.read(size)
