"""Figures drawn with characters, printed once; plotext is imported only when one is asked for.

plotext has one figure for the whole process: not for threads.
"""

import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from analysis.figures.drawn import Curve, Evolution, Trajectories

HEIGHT = 24
"""Lines that a figure takes."""

TOP = 1.25
"""Of the axis, as in the paper's figures: what a first step may do beyond it would press all else flat."""

_COLOURS = {"collapsed": "blue", "limbo": "magenta", "waking": "orange", "active": "green"}
_CURVES = {"REC": ("R", "blue"), "GEN-1": ("1", "orange"), "GEN-2": ("2", "green")}
"""The letter of each, for where there are no colours, and its colour."""
_RESET_AT_END = re.compile(r"[ ]*(\x1b\[0m)?[ ]*$", re.MULTILINE)
_HEADROOM = 0.05
"""Of the span of the values, above and below."""


def draw(drawn: Trajectories | Evolution, size: tuple[int, int], colour: bool = False, marker: str = "braille") -> str:
    """A figure as lines of text, each ended.

    Args:
        drawn: what it shows.
        size: columns and lines.
        colour: whether to write colours.
        marker: what the lines are drawn with, as plotext names it: "braille", or one character.
    """
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)  # the size is the caller's to know; plotext asks the terminal, even in a pipe
    plotext.plot_size(*size)
    if isinstance(drawn, Trajectories):
        _trajectories(plotext, drawn, marker)
    else:
        _evolution(plotext, drawn, marker)
    text = str(plotext.build())
    plotext.clear_figure()
    text = text if colour else str(plotext.uncolorize(text))
    return _RESET_AT_END.sub(r"\1", text).rstrip("\n") + "\n"


def _trajectories(plotext: Any, drawn: Trajectories, marker: str) -> None:
    """E[σ²] of every latent over the steps, with a line at the threshold."""
    cut = bool((drawn.mean > TOP).any())
    plotext.title(
        f"E[σ²] of {drawn.title}; the line is {drawn.threshold:g}" + (f"; above {TOP:g} is cut" if cut else "")
    )
    plotext.xlabel(drawn.x_label)
    shown = np.isfinite(drawn.mean) & (drawn.mean <= TOP)
    for state, name in _COLOURS.items():
        for i in (i for i, each in enumerate(drawn.states) if each == state and shown[:, i].any()):
            known = shown[:, i]
            plotext.plot(drawn.x[known].tolist(), drawn.mean[known, i].tolist(), marker=marker, color=name)
    plotext.hline(drawn.threshold, "gray")
    plotext.ylim(0, TOP)
    plotext.yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2])
    _across(plotext, drawn.end)


def _evolution(plotext: Any, drawn: Evolution, marker: str) -> None:
    """A curve a distance, with a letter at each epoch; those of the paper are an x at each; deviations are dots."""
    plotext.title(drawn.title)
    plotext.xlabel("epoch of stage 1")
    for curve in sorted(drawn.curves, key=lambda each: not each.printed):  # the runs' own on top
        known = np.isfinite(curve.mean)
        if not known.any():
            continue
        x, mean, deviation = curve.x[known], curve.mean[known], curve.deviation[known]
        mark, colour = _CURVES[curve.name]
        if not curve.printed:
            plotext.plot(x.tolist(), mean.tolist(), marker=marker, color=colour)
        for edge in (mean - deviation, mean + deviation):
            there = np.isfinite(edge)
            plotext.scatter(x[there].tolist(), edge[there].tolist(), marker=".", color=colour)
        label = curve.name + " (paper)" * curve.printed
        plotext.scatter(x.tolist(), mean.tolist(), marker="x" if curve.printed else mark, color=colour, label=label)
    plotext.ylim(*_range(drawn.curves))
    _across(plotext, max((float(each.x.max(initial=0)) for each in drawn.curves), default=0))


def _range(curves: Iterable[Curve]) -> tuple[float, float]:
    edges = [each.mean + sign * np.nan_to_num(each.deviation) for each in curves for sign in (-1, 1)]
    values = np.concatenate(edges or [np.zeros(0)])
    known = values[np.isfinite(values)]
    if not len(known):
        return 0, 1
    room = max(_HEADROOM * float(known.max() - known.min()), 1.0)
    return float(known.min()) - room, float(known.max()) + room


def _across(plotext: Any, end: float) -> None:
    last = max(math.ceil(end), 1)
    plotext.xlim(0, last)
    ticks = _round_numbers(last)
    plotext.xticks(ticks, [f"{each:,}" for each in ticks])


def _round_numbers(last: int) -> Iterable[int]:
    """Five or so round numbers from 0 to `last`."""
    power = 10 ** math.floor(math.log10(max(last / 5, 1)))
    between = next(each * power for each in (1, 2, 5, 10) if each * power * 5 >= last)
    return list(range(0, last + 1, between))
