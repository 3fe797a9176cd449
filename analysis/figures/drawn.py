"""What a figure shows, as values: lines of every latent, or curves with bands."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]

STATES = ("active", "waking", "limbo", "collapsed")
"""Of latents, in the order of a legend."""
TOP = 1.25
"""Of the axis of E[σ²]; what a first step may do beyond it would press all else flat."""


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

    @property
    def counts(self) -> dict[str, int]:
        """How many latents are in each state at the end; those that none is in are left out."""
        return {state: self.states.count(state) for state in STATES if state in self.states}

    @property
    def cut(self) -> str:
        """What is to be said of values above the axis; empty where there are none."""
        return f"; above {TOP:g} is cut" if (self.mean > TOP).any() else ""


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """One of several curves: a mean, and a band of one deviation to both sides."""

    name: str
    x: Array
    """(n,), rising."""
    mean: Array
    """(n,), finite."""
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
