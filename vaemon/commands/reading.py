"""How far a training that is just beginning has read its images, as it tells through a pipe; drawn as a bar."""

import os
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

AT_ONCE = 65_536
"""Bytes taken from the pipe at a time: all that it holds."""


class Reading:
    """A bar that is gone when the training has begun; a second one where something else is done with the images."""

    def __init__(self, heard: int) -> None:
        """Draw what is heard.

        Args:
            heard: the end of the pipe to read from; it is closed at the end. Each line is what is done, of how much,
                and the words for it: `1024 202599 decoding`.
        """
        os.set_blocking(heard, False)
        self._heard = heard
        self._rest = b""
        self._tasks: dict[str, TaskID] = {}
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(), transient=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        os.close(self._heard)

    def look(self) -> bool:
        """Draw what was told since the last look; whether anything was."""
        try:
            found = os.read(self._heard, AT_ONCE)
        except BlockingIOError:
            return False
        *lines, self._rest = (self._rest + found).split(b"\n")
        for line in lines:
            self._draw(*line.decode(errors="replace").split(" ", 2))
        return bool(found)

    def _draw(self, done: str, total: str, what: str) -> None:
        if what not in self._tasks:
            self._progress.start()
            self._tasks[what] = self._progress.add_task(what, total=None)
        self._progress.update(self._tasks[what], completed=int(done), total=int(total), visible=int(done) < int(total))
