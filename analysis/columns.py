"""What every report's CSV has in common: its columns, and how a value is written."""

from typing import Any

import numpy as np

COLUMNS = ("run", "stage", "origin", "step", "report", "latent", "name", "value", "group", "over")
"""`report` is empty of a latent's values, `latent` of figures over all latents. `over` is empty of a run's own values.
Of several runs together `run` is, and it is mean, deviation, or runs: how many of them these are of."""


def word(value: Any) -> str:
    """A value, exact; empty where it is not known."""
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)
