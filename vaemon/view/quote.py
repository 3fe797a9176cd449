"""What is told of one moment of a run, as lines with tabs, to be pasted elsewhere."""

from collections.abc import Iterator, Mapping

import numpy as np

from vaemon.batch import Array, Columns
from vaemon.latents import LatentState
from vaemon.view.state import CHART_CHANNELS, RunView
from vaemon.view.words import STATE_WORDS


def quote(view: RunView, columns: Columns, at: int | None) -> str:
    """The scalars, then each latent: of the column under a row, or the newest, smoothed.

    Args:
        view: the run.
        columns: those in sight.
        at: a row of the stage; None: the newest values.
    """
    if view.latest is None or view.info is None:
        return ""
    if at is None or not len(columns):
        return "\n".join(_lines(view, view.latest.step, view.latest.smoothed))
    place = columns.place(at)
    values = {name: column[place] for name, column in columns.mean.items()}
    return "\n".join(_lines(view, int(columns.step[place]), values))


def _lines(view: RunView, step: int, values: Mapping[str, Array]) -> Iterator[str]:
    assert view.info is not None
    yield f"run\t{view.info.name}"
    yield f"stage\t{view.stage}"
    yield f"step\t{step}"
    for name in CHART_CHANNELS:
        if name in values:
            yield f"{name}\t{float(values[name]):.6g}"
    if "mean_variance" not in values:
        return
    newest = view.latest is not None and step == view.latest.step
    yield "latent\tmean_variance\tlatent_kl" + ("\tstate" if newest else "")
    variance = values["mean_variance"]
    kl = values.get("latent_kl", np.full(len(variance), np.nan))
    for latent in range(len(variance)):
        state = f"\t{STATE_WORDS[LatentState(int(view.states[latent]))]}" if newest else ""
        yield f"{latent}\t{float(variance[latent]):.6g}\t{float(kl[latent]):.6g}{state}"
