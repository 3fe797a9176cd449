"""A frame as SVG text: rectangles, paths, and words in whatever monospaced font the reader has."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from vaemon.exchange.file import write_file
from vaemon.watch.export import shapes
from vaemon.watch.export.frame import Cell, Frame, quarter_colours

CELL, LINE, MARGIN = int(shapes.CELL), int(shapes.LINE), 14
"""Width and height of a character, and the frame around all, in pixels."""
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"


def save_svg(frame: Frame, path: Path, *, replace: bool = False) -> Path:
    """Write the frame as an SVG file; where and how as `write_file` says, whose errors it raises."""
    return write_file(path, [svg(frame).encode()], replace=replace)


def svg(frame: Frame) -> str:
    """The frame as an SVG document."""
    return "\n".join(_document(frame)) + "\n"


def _document(frame: Frame) -> Iterator[str]:
    width, height = frame.width * CELL + 2 * MARGIN, frame.height * LINE + 2 * MARGIN
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    yield f'<rect width="{width}" height="{height}" rx="10" fill="{frame.ground}"/>'
    yield f'<g transform="translate({MARGIN} {MARGIN})" shape-rendering="crispEdges"'
    yield f'   font-family="{FONT}" font-size="{LINE * 0.74:.1f}">'
    for y, row in enumerate(frame.rows):
        yield from _blocks(row, y * LINE, frame.ground)
        yield from _paths(row, y * LINE, boxes=True)
        yield from _paths(row, y * LINE, boxes=False)
        yield from _words(row, y * LINE)
    yield "</g>"
    yield "</svg>"


def _blocks(row: Sequence[Cell], top: int, ground: str) -> Iterator[str]:
    """Backgrounds and block characters, quarters of one colour together."""
    quarters = [quarter_colours(cell) for cell in row]
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


def _paths(row: Sequence[Cell], top: int, *, boxes: bool) -> Iterator[str]:
    """Dots and rules, or what has slanted and round edges: one path a colour."""
    paths: dict[str, list[str]] = {}
    for column, cell in enumerate(row):
        for shape in shapes.shapes_of(cell.sign):
            if isinstance(shape, shapes.Box) == boxes:
                paths.setdefault(cell.fg, []).append(_path(shape, column * CELL, top))
    smooth = "" if boxes else ' shape-rendering="geometricPrecision"'
    yield from (f'<path fill="{colour}"{smooth} d="{"".join(path)}"/>' for colour, path in paths.items())


def _path(shape: shapes.Shape, x: float, y: float) -> str:
    if isinstance(shape, shapes.Box):
        wide = _n(shape.width)
        return f"M{_n(x + shape.x)} {_n(y + shape.y)}h{wide}v{_n(shape.height)}h-{wide}z"
    # Holes go round the other way: the rule by which a path is filled then leaves them out.
    if isinstance(shape, shapes.Disc):
        start = f"M{_n(x + shape.x)} {_n(y + shape.y - shape.radius)}"
        arc = f"a{_n(shape.radius)} {_n(shape.radius)} 0 0 {0 if shape.hole else 1} 0"
        down = _n(2 * shape.radius)
        return f"{start}v{down}{arc}-{down}z" if shape.half else f"{start}{arc} {down}{arc}-{down}z"
    corners = [f"{_n(x + i)} {_n(y + j)}" for i, j in shape.corners]
    return f"M{'L'.join(reversed(corners) if shape.hole else corners)}z"


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _words(row: Sequence[Cell], top: int) -> Iterator[str]:
    """Letters, those of one look and word together."""
    x = 0
    for (fg, bold, is_text), run in groupby(row, key=_look):
        cells = list(run)
        if is_text:
            weight = ' font-weight="bold"' if bold else ""
            yield (
                f'<text x="{x * CELL}" y="{top + LINE * 0.72:.1f}" textLength="{len(cells) * CELL}" '
                f'fill="{fg}"{weight}>{escape("".join(cell.sign for cell in cells))}</text>'
            )
        x += len(cells)


def _look(cell: Cell) -> tuple[str, bool, bool]:
    # The second cell of a wide sign goes with the first.
    return cell.fg, cell.bold, not cell.sign or shapes.is_word(cell.sign)
