"""Make the README's moving picture of the dashboard from the real app: `python docs/animate.py RUN`.

A run that is over is played: each frame is the screen as it was when the run had only so many rows.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

from screens import StillApp, frame_from, run, still

from vaemon.batch import Batch, Columns, Cursor, Excerpt, RunInfo, Series, Want, Window
from vaemon.runstate import RunState
from vaemon.source.protocol import Source
from vaemon.watch.asked import Asked
from vaemon.watch.export.animation import save_animation
from vaemon.watch.export.frame import Frame

FRAMES = 34
SECONDS, AT_THE_END = 0.2, 2.5
"""How long a frame stands, and how long the last one does."""
EASE = 1.3
"""More than 1 tells the beginning, where most happens, at more length."""


class Played:
    """A run that goes on as long as it is asked for a part of it."""

    def __init__(self, source: Source) -> None:
        """Ask `source`."""
        self._source = source

    def info(self) -> RunInfo:
        """Who the run is."""
        return self._source.info()

    def poll(self, since: Cursor, want: Want) -> Batch:
        """What there was."""
        batch = self._source.poll(since, want)
        return batch if want.end is None else replace(batch, info=replace(batch.info, state=RunState.RUNNING))

    def excerpt(self, asked: Excerpt) -> Columns:
        """Rows of a stage."""
        return self._source.excerpt(asked)

    def series(self, channel: str, window: Window, points: int) -> Series:
        """One channel."""
        return self._source.series(channel, window, points)

    def reach(self) -> None:
        """Make anew what leads to the run."""
        self._source.reach()

    def hang_up(self) -> None:
        """Wait no longer for an answer."""
        self._source.hang_up()

    def close(self) -> None:
        """Close the source."""
        self._source.close()


def animate(
    source: Source, size: tuple[int, int], path: Path, *, stage: int | None = None, light: bool = False
) -> None:
    """Write a moving picture of a run; arguments as of `screens.picture`, the path to an animated WebP."""
    rows = source.poll(Cursor(), Want((), stage=stage, columns=1)).rows
    ends = sorted({max(round(rows * (i / FRAMES) ** EASE), 1) for i in range(1, FRAMES)})
    asked = [*(Asked(stage, end=end) for end in ends), Asked(stage)]
    frames = asyncio.run(_frames(still(Played(source), stage=stage, light=light), asked, size))
    seconds = [SECONDS] * len(ends) + [AT_THE_END]
    path.parent.mkdir(parents=True, exist_ok=True)
    save_animation(zip(frames, seconds, strict=True), path, replace=True)


async def _frames(app: StillApp, asked: list[Asked], size: tuple[int, int]) -> list[Frame]:
    frames = []
    async with app.run_test(size=size) as pilot:
        for each in asked:
            app.poller.asked = each
            app.poll(app.seat.key)
            await pilot.pause()
            await pilot.pause()
            frames.append(frame_from(app))
    return frames


if __name__ == "__main__":
    run(__doc__, animate, size="100x30", out="run.webp")
