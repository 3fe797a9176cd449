"""Make the README's picture of the dashboard from the real app: `python docs/screens.py RUN`."""

import argparse
import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from vaemon.source.open import open_source
from vaemon.source.protocol import Source
from vaemon.view.state import RunView
from vaemon.watch.app import WatchApp
from vaemon.watch.asked import Asked
from vaemon.watch.export.frame import Frame, frame_of
from vaemon.watch.export.png import save_png
from vaemon.watch.export.svg import save_svg
from vaemon.watch.messages import ViewChanged


class StillApp(WatchApp):
    """The dashboard of one moment."""

    now = 0.0

    def poll(self, key: int) -> None:  # type: ignore[override]
        """Read everything that there is, in this thread, and show it at the moment of the newest row."""
        self.now = time.time()
        view = self.poller.ask(RunView(), self.poller.asked)
        while view.loading:
            view = self.poller.ask(view, self.poller.asked)
        self.now = view.latest.time + 0.5 if view.latest is not None else self.now
        self.on_view_changed(ViewChanged(view))


def picture(
    source: Source, size: tuple[int, int], path: Path, *, stage: int | None = None, light: bool = False
) -> None:
    """Write a picture of the dashboard.

    Args:
        source: the run.
        size: columns and rows of the terminal.
        path: the file to write: SVG, or PNG where it ends so.
        stage: which stage of the run; None: the newest.
        light: for a light background.
    """
    app = still(source, stage=stage, light=light)
    save = save_png if path.suffix == ".png" else save_svg
    path.parent.mkdir(parents=True, exist_ok=True)
    save(asyncio.run(_frame(app, size)), path, replace=True)


def still(source: Source, *, stage: int | None = None, light: bool = False) -> StillApp:
    """The dashboard of a run, in full colour whatever terminal this is."""
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    os.environ.pop("NO_COLOR", None)
    app = StillApp(source, light=light, clock=lambda: app.now)
    app.poller.asked = Asked(stage)
    return app


def frame_from(app: WatchApp) -> Frame:
    """What the app has on its screen."""
    return frame_of(app.screen._compositor.render_strips(), ground=app.current_theme.background or "#000000")


async def _frame(app: StillApp, size: tuple[int, int]) -> Frame:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.pause()
        return frame_from(app)


def run(said: str, draw: Callable[..., None], *, size: str, out: str) -> None:
    """Draw a run of this machine, as the command line asks.

    Args:
        said: what the script does.
        draw: `picture`, or what takes the same.
        size: columns x rows, where no others are asked for.
        out: the file beside the other pictures, where no other is asked for.
    """
    parser = argparse.ArgumentParser(description=said.splitlines()[0])
    parser.add_argument("run", nargs="?", help="a run's name, or a path to its folder; without it, the latest run")
    parser.add_argument("--size", default=size, help="columns x rows (default %(default)s)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "screens" / out)
    parser.add_argument("--stage", type=int, default=1, help="which stage of the run (default %(default)s)")
    parser.add_argument("--light", action="store_true", help="for a light background")
    asked = parser.parse_args()
    columns, rows = (int(number) for number in asked.size.split("x"))
    source = open_source(asked.run)
    try:
        draw(source, (columns, rows), asked.out, stage=asked.stage, light=asked.light)
    finally:
        source.close()
    print(asked.out)


if __name__ == "__main__":
    run(__doc__, picture, size="120x40", out="run.svg")
