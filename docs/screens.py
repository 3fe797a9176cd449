"""Make the README's picture of the dashboard from the real app: `python docs/screens.py RUN`.

Blocks and braille are drawn as shapes, not as letters: whoever looks at the picture may have no font for them.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from rich.segment import Segment

from vaemon.source.open import open_source
from vaemon.source.protocol import Source
from vaemon.view.state import RunView
from vaemon.watch.app import WatchApp
from vaemon.watch.asked import Asked
from vaemon.watch.messages import ViewChanged

CELL, LINE, MARGIN = 8, 18, 14
"""Width and height of a character, and the frame, in pixels."""
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
HALVES = {"█": "ffff", "▀": "ffbb", "▌": "fbfb"}
"""Which quarters of a cell (two above, two below) have the foreground, which the background."""


class StillApp(WatchApp):
    """The dashboard of one moment."""

    now = 0.0

    def poll(self, place: int) -> None:  # type: ignore[override]
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
        path: the SVG file to write.
        stage: which stage of the run; None: the newest.
        light: for a light background.
    """
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}  # whatever terminal it is made in
    os.environ.pop("NO_COLOR", None)
    app = StillApp(source, light=light, clock=lambda: app.now)
    app.poller.asked = Asked(stage)
    rows = asyncio.run(_rows(app, size))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_svg(rows, size, app.current_theme.background or "#000000")) + "\n", encoding="utf-8")


async def _rows(app: StillApp, size: tuple[int, int]) -> list[list[Segment]]:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.pause()
        return [list(strip) for strip in app.screen._compositor.render_strips()]


def _svg(rows: list[list[Segment]], size: tuple[int, int], ground: str) -> Iterator[str]:
    width, height = size[0] * CELL + 2 * MARGIN, size[1] * LINE + 2 * MARGIN
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    yield f'<rect width="{width}" height="{height}" rx="10" fill="{ground}"/>'
    yield f'<g transform="translate({MARGIN} {MARGIN})" shape-rendering="crispEdges"'
    yield f'   font-family="{FONT}" font-size="{LINE * 0.74:.1f}">'
    for y, row in enumerate(rows):
        cells = [(sign, segment) for segment in row for sign in segment.text]
        yield from _blocks(cells, y * LINE, ground)
        yield from _dots(cells, y * LINE)
        yield from _words(cells, y * LINE)
    yield "</g>"
    yield "</svg>"


Cell = tuple[str, Segment]


def _fg(cell: Cell) -> str:
    style = cell[1].style
    return style.color.triplet.hex if style and style.color and style.color.triplet else "#000000"


def _bg(cell: Cell) -> str:
    style = cell[1].style
    return style.bgcolor.triplet.hex if style and style.bgcolor and style.bgcolor.triplet else "#000000"


def _blocks(cells: list[Cell], top: int, ground: str) -> Iterator[str]:
    """Backgrounds and block characters, quarters of one colour together."""
    quarters = [[{"f": _fg(cell), "b": _bg(cell)}[which] for which in HALVES.get(cell[0], "bbbb")] for cell in cells]
    upper = [colour for each in quarters for colour in each[:2]]
    lower = [colour for each in quarters for colour in each[2:]]
    if upper == lower:
        yield from _bars(upper, top, LINE, ground)
    else:
        yield from _bars(upper, top, LINE // 2, ground)
        yield from _bars(lower, top + LINE // 2, LINE // 2, ground)


def _bars(colours: Iterable[str], top: int, height: int, ground: str) -> Iterator[str]:
    x = 0
    for colour, run in groupby(colours):
        wide = len(list(run)) * CELL // 2
        if colour != ground:
            yield f'<rect x="{x}" y="{top}" width="{wide}" height="{height}" fill="{colour}"/>'
        x += wide


def _dots(cells: list[Cell], top: int) -> Iterator[str]:
    """Braille and rules, one path a colour."""
    paths: dict[str, list[str]] = {}
    for column, cell in enumerate(cells):
        x, path = column * CELL, paths.setdefault(_fg(cell), [])
        if cell[0] in "━─":
            thick = 2 if cell[0] == "━" else 1
            path.append(f"M{x} {top + LINE // 2 - thick // 2}h{CELL}v{thick}h-{CELL}z")
        elif 0x2800 < ord(cell[0]) <= 0x28FF:
            bits = ord(cell[0]) - 0x2800
            places = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
            dots = (place for bit, place in enumerate(places) if bits >> bit & 1)
            path += [f"M{x + 1 + i * 4} {top + 1.5 + j * 4.5}h2v2h-2z" for i, j in dots]
    yield from (f'<path fill="{colour}" d="{"".join(path)}"/>' for colour, path in paths.items() if path)


def _words(cells: list[Cell], top: int) -> Iterator[str]:
    """Letters, those of one style and word together."""
    x = 0
    for (style, is_text), run in groupby(cells, key=lambda cell: (cell[1].style, _is_text(cell[0]))):
        text = "".join(sign for sign, _ in run)
        if is_text:
            bold = ' font-weight="bold"' if style and style.bold else ""
            yield (
                f'<text x="{x * CELL}" y="{top + LINE * 0.72:.1f}" textLength="{len(text) * CELL}" '
                f'fill="{_fg((text, Segment(text, style)))}"{bold}>{escape(text)}</text>'
            )
        x += len(text)


def _is_text(sign: str) -> bool:
    return not (sign.isspace() or sign in HALVES or sign in "━─" or 0x2800 <= ord(sign) <= 0x28FF)


def main() -> None:
    """Draw a run of this machine."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", help="a run's name, or a path to its folder; without it, the latest run")
    parser.add_argument("--size", default="120x40", help="columns x rows (default %(default)s)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "screens" / "run.svg")
    parser.add_argument("--stage", type=int, default=1, help="which stage of the run (default %(default)s)")
    parser.add_argument("--light", action="store_true", help="for a light background")
    asked = parser.parse_args()
    columns, rows = (int(number) for number in asked.size.split("x"))
    source = open_source(asked.run)
    try:
        picture(source, (columns, rows), asked.out, stage=asked.stage, light=asked.light)
    finally:
        source.close()
    print(asked.out)


if __name__ == "__main__":
    main()
