"""Figures drawn with characters, printed once; plotext is imported only when one is asked for.

plotext has one figure for the whole process: not for threads.
"""

import math
import re
import textwrap
from collections.abc import Iterable
from typing import Any

import numpy as np

from analysis.figures.drawn import TOP, Curve, Evolution, Trajectories

HEIGHT = 24
"""Lines that a figure takes."""

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

    above, below = (textwrap.wrap(each, size[0]) for each in _words(drawn, colour))  # plotext leaves out what is longer
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)  # the size is the caller's to know; plotext asks the terminal, even in a pipe
    plotext.plot_size(size[0], size[1] - len(above) - len(below))
    if isinstance(drawn, Trajectories):
        _trajectories(plotext, drawn, marker)
    else:
        _evolution(plotext, drawn, marker)
    text = str(plotext.build())
    plotext.clear_figure()
    text = text if colour else str(plotext.uncolorize(text))
    text = _RESET_AT_END.sub(r"\1", text).rstrip("\n")
    return "\n".join([*above, text, *below]) + "\n"


def _words(drawn: Trajectories | Evolution, colour: bool) -> tuple[str, str]:
    """What is to be said above and below a figure."""
    if isinstance(drawn, Evolution):
        return drawn.title, "epoch of stage 1"
    of = {state: f" ({name})" if colour else "" for state, name in _COLOURS.items()}
    states = ", ".join(f"{count} {state}{of[state]}" for state, count in drawn.counts.items())
    return (
        f"E[σ²] of {drawn.title}; the line is {drawn.threshold:g}{drawn.cut}",
        f"{drawn.x_label}; at the end {states}",
    )


def _trajectories(plotext: Any, drawn: Trajectories, marker: str) -> None:
    """E[σ²] of every latent over the steps, with a line at the threshold."""
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
    for curve in sorted(drawn.curves, key=lambda each: not each.printed):  # the runs' own on top
        x, mean, deviation = curve.x, curve.mean, curve.deviation
        mark, colour = _CURVES[curve.name]
        if not curve.printed:
            plotext.plot(x.tolist(), mean.tolist(), marker=marker, color=colour)
        for edge in (mean - deviation, mean + deviation):
            there = np.isfinite(edge)
            plotext.scatter(x[there].tolist(), edge[there].tolist(), marker=".", color=colour)
        label = curve.name + " (paper)" * curve.printed
        plotext.scatter(x.tolist(), mean.tolist(), marker="x" if curve.printed else mark, color=colour, label=label)
    low, high = _range(drawn.curves)
    plotext.ylim(low, high)
    plotext.yticks(_round_numbers(math.ceil(low), math.floor(high)))
    _across(plotext, max((float(each.x.max(initial=0)) for each in drawn.curves), default=0))


def _range(curves: Iterable[Curve]) -> tuple[float, float]:
    edges = [each.mean + sign * np.nan_to_num(each.deviation) for each in curves for sign in (-1, 1)]
    values = np.concatenate(edges or [np.zeros(0)])
    if not len(values):
        return 0, 1
    room = max(_HEADROOM * float(values.max() - values.min()), 1.0)
    return float(values.min()) - room, float(values.max()) + room


def _across(plotext: Any, end: float) -> None:
    last = max(math.ceil(end), 1)
    plotext.xlim(0, last)
    ticks = _round_numbers(0, last)
    plotext.xticks(ticks, [f"{each:,}" for each in ticks])


def _round_numbers(first: int, last: int) -> list[int]:
    """Five or so round numbers between two."""
    span = last - first
    power = 10 ** math.floor(math.log10(max(span / 5, 1)))
    between = next(each * power for each in (1, 2, 5, 10) if each * power * 5 >= span)
    return list(range(-(-first // between) * between, last + 1, between))
