"""What follows from the values of a row, so that no training loop has to compute it; and what is wrong with them."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.recorder.sheet import Sheet

Array = npt.NDArray[Any]

WATCHED = ("mse", "kl", "gamma", "loss")
"""Scalars that must be finite; the terms before their sum, so that the culprit is named."""


class Bad(NamedTuple):
    """The first value that was NaN or infinite."""

    step: int
    channel: str


def complete(values: dict[str, Array]) -> None:
    """Add kl (the sum of latent_kl) and variance_law, where they are missing and follow from what is there.

    The variance law is the mean over latents of E[μ²] + E[σ²], which should be 1 (Asperti & Trentin 2020,
    eq. 6 and 7).
    """
    if "kl" not in values and "latent_kl" in values:
        values["kl"] = values["latent_kl"].sum(axis=1, dtype=np.float64)
    if "variance_law" not in values and "mu_squared" in values and "mean_variance" in values:
        law = values["mu_squared"] + values["mean_variance"]
        values["variance_law"] = law.mean(axis=1, dtype=np.float64)


def first_bad(sheet: Sheet) -> Bad | None:
    """The first row with a non-finite term of the loss, and the term; None where all are finite that were given."""
    found: Bad | None = None
    for name in WATCHED:
        if name in sheet.values:
            given = np.ones(len(sheet), bool)
            given[[row for row, gap in sheet.gaps if gap == name or (name, gap) == ("kl", "latent_kl")]] = False
            bad = np.flatnonzero(given & ~np.isfinite(sheet.values[name]))
            if len(bad) and (found is None or sheet.step[bad[0]] < found.step):
                found = Bad(int(sheet.step[bad[0]]), name)
    return found
