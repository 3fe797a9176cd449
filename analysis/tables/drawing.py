"""A figure of the paper from the runs: figure 2 from table 1, the others from the recorded stream."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

import numpy as np

from analysis.figures.drawn import NAMES, Curve, Evolution, Trajectories
from analysis.figures.terminal import HEIGHT, draw
from analysis.figures.window import trajectories
from analysis.tables.answer import Asked, lacking, table_of
from analysis.tables.shape import Line, Table
from analysis.terminal import form
from vaemon.errors import UsageError, VaemonError
from vaemon.exchange.file import write_file

POINTS = 600
"""Of a latent's line in a file, at most."""

Drawn = Trajectories | Evolution


def figure_of(asked: Asked, figure: str, stage: int, points: int) -> tuple[Drawn, str]:
    """What a figure shows, and how to get what it lacks (empty: nothing).

    Args:
        asked: the runs.
        figure: "2", "4", "5", "6", or "latents".
        stage: whose latents are drawn.
        points: of each latent's line, at most.

    Raises:
        UsageError: a figure of one run is asked of several.
        VaemonError: the runs do not have what it shows.
    """
    if figure == "2":
        table = table_of(asked, 1)
        found, last = evolution(table), lacking(table.lacking, asked)
        if not found.curves:
            raise VaemonError(f"figure 2 has nothing to show: {last or 'no evaluation has ' + ' or '.join(NAMES)}")
        return found, last
    with asked.opened() as sources:
        if len(sources) > 1:
            raise UsageError(f"--figure {figure} is of one run, not of {len(sources)}; --figure 2 is of several")
        return trajectories(sources[0][1], figure, stage, points), ""


def evolution(table: Table) -> Evolution:
    """Figure 2: the distances of table 1 over the epochs."""
    own = [line for line in table.lines if line.runs]
    paper = [line for line in table.lines if not line.runs]
    curves, printed = _curves(own, printed=False), _curves(paper, printed=True)
    runs = f"{len(table.runs)} runs" if len(table.runs) > 1 else table.runs[0]
    of = [runs if curves else f"none of {runs} yet", *(["the paper's"] if printed else [])]
    return Evolution(f"Fréchet distances while training: {', '.join(of)}", (*curves, *printed))


def _curves(lines: Sequence[Line], *, printed: bool) -> list[Curve]:
    curves = []
    for name in NAMES:
        known = [
            (float(line.keys[0]), line.values[name])
            for line in lines
            if name in line.values and math.isfinite(line.values[name].mean)
        ]
        if known:
            x, spreads = zip(*known, strict=True)
            deviation = [np.nan if each.deviation is None else each.deviation for each in spreads]
            mean = np.array([each.mean for each in spreads])
            curves.append(Curve(name, np.array(x), mean, np.array(deviation), printed))
    return curves


def in_terminal(asked: Asked, figure: str, stage: int) -> tuple[str, str]:
    """A figure as text, and how to get what it lacks."""
    how = form("⣿")
    drawn, last = figure_of(asked, figure, stage, points=2 * how.width)  # braille has two dots across
    return draw(drawn, (how.width, HEIGHT), how.colour, "*" if how.ascii_only else "braille"), last


def to_file(asked: Asked, figure: str, stage: int, to: Path) -> tuple[Path, str]:
    """Write a figure; where it was written, and how to get what it lacks.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        VaemonError: it cannot be written.
    """
    from analysis.figures.file import picture

    drawn, last = figure_of(asked, figure, stage, POINTS)
    form = cast(Literal["png", "svg", "pdf"], to.suffix.lower().removeprefix("."))
    return write_file(to, [picture(drawn, form)]), last
