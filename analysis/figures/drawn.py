"""What a figure shows, as values: lines of every latent, or curves with bands."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]

STATES = ("active", "waking", "limbo", "collapsed")
"""Of latents, in the order of a legend."""


@dataclass(frozen=True, eq=False, slots=True)
class Trajectories:
    """E[σ²] of every latent as it trains: figs 4-6 of Asperti & Trentin 2020."""

    title: str
    x_label: str
    x: Array
    """(n,), rising."""
    end: float
    """Where the axis ends; it begins at 0."""
    mean: Array
    """(n, k); what is not finite is left out."""
    states: tuple[str, ...]
    """Of each latent at the end, in words, k of them."""
    threshold: float
    """From where on a latent is inactive."""


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """One of several curves: a mean, and a band of one deviation to both sides."""

    name: str
    x: Array
    """(n,), rising."""
    mean: Array
    """(n,)."""
    deviation: Array
    """(n,); NaN where it is not known."""
    printed: bool
    """Whether it is the paper's."""


@dataclass(frozen=True, eq=False, slots=True)
class Evolution:
    """Fréchet distances as it trains: fig. 2 of Asperti & Trentin 2020."""

    title: str
    curves: tuple[Curve, ...]


NAMES = ("REC", "GEN-1", "GEN-2")
"""Of its curves, in the order of their colours."""
