"""Events and evaluations as tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event
from vaemon.evaluations import Evaluation

Array = npt.NDArray[Any]


def event_columns(events: Sequence[Event]) -> dict[str, Array]:
    """Step, time, stage, kind, latent (-1 for none) and text of events, each (n,)."""
    return {
        "step": np.array([each.step for each in events], np.int64),
        "time": np.array([each.time for each in events], np.float64),
        "stage": np.array([each.stage for each in events], np.int32),
        "kind": np.array([each.kind for each in events], np.object_),
        "latent": np.array([each.latent for each in events], np.int32),
        "text": np.array([each.text for each in events], np.object_),
    }


def evaluation_columns(evaluations: Sequence[Evaluation]) -> dict[str, Array]:
    """Step, time and stage of evaluations, and each figure that one of them has, (n,): NaN where one has it not."""
    found: dict[str, Array] = {
        "step": np.array([each.step for each in evaluations], np.int64),
        "time": np.array([each.time for each in evaluations], np.float64),
        "stage": np.array([each.stage for each in evaluations], np.int32),
    }
    for name in dict.fromkeys(name for each in evaluations for name in each.values):
        found.setdefault(name, np.array([each.values.get(name, np.nan) for each in evaluations], np.float64))
    return found
