"""Make the pictures of docs/dashboard.md from the real app: `python docs/pictures.py RUN [OTHER...]`.

Of the first run all views are drawn; the others stand beside it where several are compared, and in the list of runs.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from screens import frame_from

from vaemon.source.open import open_directory, open_source
from vaemon.source.protocol import Source
from vaemon.watch.app import WatchApp
from vaemon.watch.export.frame import Frame
from vaemon.watch.export.svg import save_svg

SETTLED, PATIENCE = 0.8, 20.0
"""Seconds that a screen has not changed before it counts as complete, and that it is given for that."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture."""

    name: str
    keys: str
    """Pressed one after the other, as Textual names them."""
    size: tuple[int, int] = (110, 30)
    several: bool = False
    """Whether the other runs are opened, too."""
    options: str = ""
    """Of the command line: --ascii, --theme light, or NO_COLOR."""


SHOTS = (
    Shot("wall", "", (120, 36)),
    Shot("crosshair", "E E E E E E E p", (120, 36)),
    Shot("folded", "F", (100, 16)),
    Shot("trajectories", "2"),
    Shot("balance", "3"),
    Shot("latent", "4"),
    Shot("events", "5", (110, 20)),
    Shot("samples", "6", (110, 34)),
    Shot("evaluations", "7", (110, 14)),
    Shot("compare", "", (150, 46), several=True),
    Shot("runs", "9", (110, 12), several=True),
    Shot("narrow", "", (40, 10)),
    Shot("shades", "", (100, 24), options="NO_COLOR"),
    Shot("ascii", "", (100, 24), options="--ascii"),
    Shot("light", "", (100, 24), options="light"),
)


def draw(shot: Shot, runs: Sequence[str], folder: Path) -> None:
    """Write one picture."""
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    os.environ.pop("NO_COLOR", None)
    if shot.options == "NO_COLOR":
        os.environ["NO_COLOR"] = "1"
    sources = [(Path(run).name, open_source(run)) for run in (runs if shot.several else runs[:1])]
    try:
        save_svg(asyncio.run(_frame(shot, sources, runs[0])), folder / f"{shot.name}.svg", replace=True)
    finally:
        for _, source in sources:
            source.close()


async def _frame(shot: Shot, sources: Sequence[tuple[str, Source]], run: str) -> Frame:
    (title, first), *others = sources
    beside = Path(run).parent if Path(run).is_dir() else None  # of a run that is named, where runs are by default
    directory = open_directory(beside) if shot.several else None
    app = WatchApp(
        first,
        others=others,
        directory=directory,
        title=title,
        light=shot.options == "light",
        ascii=shot.options == "--ascii",
    )
    async with app.run_test(size=shot.size) as pilot:
        frame = await _settled(app)
        for key in shot.keys.split():
            await pilot.press(key)
            frame = await _settled(app)
    return frame


async def _settled(app: WatchApp) -> Frame:
    """The screen once it changes no more."""
    frame, since, end = frame_from(app), time.monotonic(), time.monotonic() + PATIENCE
    while time.monotonic() - since < SETTLED and time.monotonic() < end:
        await asyncio.sleep(0.1)
        newer = frame_from(app)
        if newer != frame:
            frame, since = newer, time.monotonic()
    return frame


def main() -> None:
    """Draw what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="names of runs or paths to their folders; of the first all views are drawn",
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "screens")
    parser.add_argument("--only", action="append", choices=[shot.name for shot in SHOTS], help="these pictures alone")
    asked = parser.parse_args()
    for shot in SHOTS:
        if not asked.only or shot.name in asked.only:
            draw(shot, asked.runs, asked.out)
            print(asked.out / f"{shot.name}.svg")


if __name__ == "__main__":
    main()
