"""The rules that say yes or no of a latent, each in use somewhere in the field; several may say yes of one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.subject import Subject

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A rule that says yes or no of a latent. Several may say yes of one: none is another's opposite."""

    name: str
    label: str
    """Of its count; may name what is in force, as of `FigureEntry`."""
    short: str
    """Its heading where it stands beside others."""
    mark: str
    """The letter that tells of it."""
    needs: str
    """As of `FigureEntry`, one of them."""
    compute: Callable[[Subject], npt.NDArray[np.bool_]]


def _kind(word: str) -> Callable[[Subject], npt.NDArray[np.bool_]]:
    return lambda s: s.kinds == word


JUDGEMENTS = (
    Judgement(
        "inactive",
        "inactive: E[σ²] ≥ {threshold:g}",
        "inactive",
        "I",
        "mean_variance",
        lambda s: s.inactive_by_paper,
    ),
    Judgement(
        "inactive_as_published",
        "inactive as published: E[σ] > {threshold:g}",
        "published",
        "P",
        "mean_deviation",
        lambda s: s.inactive_as_published,
    ),
    Judgement(
        "active_units", "active units: Var(μ) > {at.unit:g}", "unit", "U", "mu_variance", lambda s: s.active_units
    ),
    Judgement(
        "epsilon_delta_collapsed",
        "(ε, δ)-collapsed: KL < {rules.epsilon:g} on {kept:.4g} %",
        "(ε, δ)",
        "C",
        "near_prior",
        lambda s: s.collapsed,
    ),
    Judgement(
        "active_variables",
        "active variables: E[σ²] ≤ {rules.near:g}",
        "active",
        "a",
        "variance_variance",
        _kind("active"),
    ),
    Judgement("mixed_variables", "mixed variables: the others", "mixed", "m", "variance_variance", _kind("mixed")),
    Judgement(
        "passive_variables",
        "passive variables: E[σ²] within {rules.near:g} of 1",
        "passive",
        "p",
        "variance_variance",
        _kind("passive"),
    ),
)


ALONE = tuple(each for each in JUDGEMENTS if each.mark.isupper())
"""The judgements that exclude no other; of the three kinds of variables a latent is one."""


def told(each: Judgement, s: Subject) -> Array:
    """What a judgement says of each latent, None where it cannot be told, (k,)."""
    said = each.compute(s).astype(object)
    said[np.isnan(s.known(each.needs))] = None
    return said


def marks(s: Subject) -> Array:
    """A letter for each judgement that says yes of a latent, "." for no, "?" where it cannot be told; (k,) words."""
    letter = {True: "", False: ".", None: "?"}
    letters = [[letter[yes] or each.mark for yes in told(each, s)] for each in ALONE]
    kinds = [word[:1] or "?" for word in s.kinds]
    return np.array(["".join(each) for each in zip(*letters, kinds, strict=True)])
