"""What every report's CSV has in common: its columns, and how a value is written."""

from typing import Any

import numpy as np

COLUMNS = ("run", "stage", "origin", "step", "report", "latent", "name", "value", "group", "over")
"""`report` is empty where a line is one latent's value, `latent` where it is a figure over all latents. `over` is empty
in the lines of a single run; of several runs together `run` is empty, and `over` says what the value is: their mean,
their deviation, or runs, how many of them these two are of."""


def word(value: Any) -> str:
    """A value, exact; empty where it is not known."""
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)
