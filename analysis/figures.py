"""Figures drawn with characters, printed once; plotext is imported only when one is asked for.

plotext has one figure for the whole process: not for threads.
"""

import math
import re
from collections.abc import Sequence

import numpy as np

from vaemon.batch import Series

HEIGHT = 24
"""Lines that a figure takes."""

TOP = 1.25
"""Of the axis, as in the paper's figures: what a first step may do beyond it would press all else flat."""

_COLOURS = {"collapsed": "blue", "limbo": "magenta", "waking": "orange", "active": "green"}
_RESET_AT_END = re.compile(r"[ ]*(\x1b\[0m)?[ ]*$", re.MULTILINE)


def variance_trajectories(
    series: Series,
    states: Sequence[str],
    threshold: float,
    size: tuple[int, int],
    colour: bool = False,
    marker: str = "braille",
) -> str:
    """E[σ²] of every latent over the steps, with a line at the threshold: figs 4-6 of Asperti & Trentin 2020.

    Args:
        series: of the channel mean_variance, `.mean` of shape (n, k); what is not finite or above TOP is left out.
        states: the state of each latent at the end, in words, k of them; they colour the lines.
        threshold: on E[σ²].
        size: columns and lines.
        colour: whether to write colours.
        marker: what the lines are drawn with, as plotext names it: "braille", or one character.

    Returns:
        The lines of the figure, each ended.
    """
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)  # the size is the caller's to know; plotext asks the terminal, even in a pipe
    plotext.plot_size(*size)
    cut = bool((series.mean > TOP).any())
    plotext.title(
        f"E[σ²] of {len(states)} latents; the line is {threshold:g}" + (f"; above {TOP:g} is cut" if cut else "")
    )
    plotext.xlabel("step")
    shown = np.isfinite(series.mean) & (series.mean <= TOP)
    for state, name in _COLOURS.items():
        for i in (i for i, each in enumerate(states) if each == state and shown[:, i].any()):
            known = shown[:, i]
            plotext.plot(series.step[known].tolist(), series.mean[known, i].tolist(), marker=marker, color=name)
    plotext.hline(threshold, "gray")
    plotext.ylim(0, TOP)
    plotext.yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2])
    last = max(int(series.step.max(initial=0)), 1)
    plotext.xlim(0, last)
    ticks = _round_steps(last)
    plotext.xticks(ticks, [f"{each:,}" for each in ticks])
    drawn = str(plotext.build())
    plotext.clear_figure()
    text = drawn if colour else str(plotext.uncolorize(drawn))
    return _RESET_AT_END.sub(r"\1", text).rstrip("\n") + "\n"


def _round_steps(last: int) -> list[int]:
    """Five or so round numbers from 0 to `last`."""
    power = 10 ** math.floor(math.log10(max(last / 5, 1)))
    between = next(each * power for each in (1, 2, 5, 10) if each * power * 5 >= last)
    return list(range(0, last + 1, between))
