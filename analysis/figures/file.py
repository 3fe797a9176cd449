"""Figures as PNG, SVG or PDF, fit to be shown to others; matplotlib is imported only when one is asked for."""

import io
from typing import Any, Literal

import numpy as np

from analysis.figures.drawn import NAMES, STATES, TOP, Curve, Evolution, Trajectories

Format = Literal["png", "svg", "pdf"]

_SIZE = (7.2, 4.2)
"""Inches."""
_DOTS = 200
"""Of a PNG, to the inch."""
_COLOURS = {"active": "#1b8a5a", "waking": "#e08a00", "limbo": "#b0369b", "collapsed": "#4a6fd0"}
_OVER = 10
"""Where the latents in use are drawn; the others below them."""
_CURVES = dict(zip(NAMES, ("#1f77b4", "#ff7f0e", "#2ca02c"), strict=True))
_MANY = 32
"""From so many latents on their lines are thinner."""
_TITLE: dict[str, Any] = {"fontsize": 10.5, "loc": "left", "parse_math": False}
_STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "svg.hashsalt": "vaemon",
    "svg.fonttype": "none",
}


def picture(drawn: Trajectories | Evolution, form: Format) -> bytes:
    """A figure as a file's content.

    Args:
        drawn: what it shows.
        form: of the file; equal figures have equal files.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        if isinstance(drawn, Trajectories):
            _trajectories(axes, drawn)
        else:
            _evolution(axes, drawn)
        content = io.BytesIO()
        figure.savefig(content, format=form, dpi=_DOTS, metadata=None if form == "png" else _undated(form))
    return content.getvalue()


def _trajectories(axes: Any, drawn: Trajectories) -> None:
    """A line a latent, those in use above the others; the inactive line; how many of each state in the legend."""
    width = 0.9 if len(drawn.states) >= _MANY else 1.4
    for state, count in drawn.counts.items():
        which = [i for i, each in enumerate(drawn.states) if each == state]
        style = {"color": _COLOURS[state], "linewidth": width, "alpha": 0.75, "zorder": _OVER - STATES.index(state)}
        axes.plot(drawn.x, drawn.mean[:, which], **style)[0].set_label(f"{count} {state}")
    axes.axhline(drawn.threshold, color="0.35", linewidth=1, linestyle=(0, (4, 3)), zorder=_OVER + 1)
    axes.annotate(
        f"inactive ≥ {drawn.threshold:g}",
        (1, drawn.threshold),
        xycoords=("axes fraction", "data"),
        xytext=(3, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        color="0.35",
        annotation_clip=False,
    )
    axes.set_title(drawn.title + drawn.cut, **_TITLE)
    axes.set_xlim(0, drawn.end)
    axes.set_ylim(0, TOP)
    axes.set_ylabel("mean variance  E[σ²]")
    axes.set_xlabel(drawn.x_label)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.10g}")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=len(STATES), fontsize=9)


def _evolution(axes: Any, drawn: Evolution) -> None:
    """A curve and its band a distance; the paper's dashed, in the same colours."""
    for curve in drawn.curves:
        colour = _CURVES[curve.name]
        style: dict[str, Any] = {"linestyle": (0, (4, 2)), "linewidth": 1.2} if curve.printed else {"linewidth": 1.8}
        axes.plot(curve.x, curve.mean, color=colour, label=_called(curve), marker="o", markersize=2.5, **style)
        if np.isfinite(curve.deviation).any():
            low, high = curve.mean - curve.deviation, curve.mean + curve.deviation
            axes.fill_between(curve.x, low, high, color=colour, alpha=0.12 if curve.printed else 0.25, linewidth=0)
    axes.set_title(drawn.title, **_TITLE)
    axes.set_xlim(left=0)
    axes.set_ylabel("Fréchet Inception distance")
    axes.set_xlabel("epoch of stage 1")
    axes.legend(fontsize=9)


def _called(curve: Curve) -> str:
    return f"{curve.name}, as printed" if curve.printed else curve.name


def _undated(form: Format) -> dict[str, None]:
    return {"Date": None} if form == "svg" else {"CreationDate": None}
