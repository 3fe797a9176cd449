"""What a renormalisation does to a run's second stage, as values: per latent before and after, and in all.

The latents afterwards are measured on other samples than those it was fitted to.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.generate.latents import CHECK, latents
from analysis.generate.renormalisation import FITTED_TO, AsPublished, Renormalisation, batches
from analysis.generate.trained import Trained
from analysis.measures.renormalisation import PUBLISHED_RULE, variance_shortfall

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """Before and after, of 10,000 samples each; arrays (k,)."""

    run: str
    found: Renormalisation
    factor: Array
    """Of each latent; as published, the mean over batches for all of them."""
    factors: Array
    """What `factor` summarises: one a latent, (k,), or one a generated batch."""
    target: Array
    """Variance aimed at."""
    variance: Array
    """Var[z_i] after."""
    path: str = ""
    """Where it is kept; empty: nowhere."""

    @property
    def before(self) -> Array:
        """Var[z_i] before."""
        return self.found.variance

    @property
    def shortfall(self) -> Array:
        """What each latent lacks of its target, before."""
        return variance_shortfall(self.before, self.target)


def examine(trained: Trained, found: Renormalisation, path: str = "") -> Found:
    """Try a renormalisation on fresh samples of the second stage."""
    fresh = list(latents(trained, 2, FITTED_TO, trained.config.seed, CHECK))
    z = np.concatenate(list(found.applied(fresh, 2))).astype(np.float64)
    count = len(found.variance)
    if isinstance(found, AsPublished):
        factors = np.array([found.factor_of(each) for block in fresh for each in batches(block)])
        factor, target = np.full(count, factors.mean()), np.full(count, found.target**2)
    else:
        factor = factors = found.factor
        target = found.target
    return Found(trained.folder.name, found, factor, factors, target, z.var(axis=0), path)


def to_json(report: Found) -> dict[str, Any]:
    """The report as what `json.dumps(allow_nan=False)` takes."""
    found = report.found
    told: dict[str, Any] = {
        "format": 1,
        "run": report.run,
        "kind": found.kind,
        "expected": None if isinstance(found, AsPublished) else found.expected,
        "steps": list(found.steps),
        "samples": FITTED_TO,
        "seed": found.seed,
        "kept": report.path or None,
        "mean_before": float(report.before.mean()),
        "mean_shortfall": float(report.shortfall.mean()),
        "mean_after": float(report.variance.mean()),
        "factor": {"mean": float(report.factors.mean()), "deviation": float(report.factors.std())},
        "published": None,
        "latents": [
            {
                "latent": i,
                "mean": float(found.mean[i]),
                "variance_before": float(report.before[i]),
                "target": float(report.target[i]),
                "factor": float(report.factor[i]),
                "variance_after": float(report.variance[i]),
            }
            for i in range(len(report.before))
        ],
    }
    if isinstance(found, AsPublished):
        told["published"] = {
            "target_deviation": found.target,
            "variance_loss": found.loss,
            "rule": PUBLISHED_RULE,
            "fires": found.fires,
            "batches": len(report.factors),
        }
    return told
