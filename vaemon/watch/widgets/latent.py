"""One latent in a row of words: its state and its values, now or under the crosshair."""

from collections.abc import Iterator

import numpy as np

from vaemon.batch import Columns
from vaemon.latents import LatentState
from vaemon.view.state import RunView, values
from vaemon.view.words import STATE_WORDS, number
from vaemon.watch.render.cells import BLANK, Row, join, said
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.widgets.picture import Picture

_SYMBOLS = (("mean_variance", "E[σ²]"), ("latent_kl", "KL"))


def latent_row(picture: Picture, latent: int, width: int) -> Row:
    """The latent of that index, or nothing where there is none; what does not fit is left out from the right."""
    view = picture.view
    if not 0 <= latent < view.latents:
        return BLANK
    state = LatentState(int(view.states[latent]))
    word = STATE_WORDS[state]
    at = picture.look.at
    facts = _then(picture.columns, latent, at) if at is not None else _now(view, latent)
    # The values may be those of before; the state is not.
    who = (said(f" z{latent} ", bold=True), said(f"{STATE[state]} {word}{' now' if at is not None else ''}", word))
    return join([who, *((said(fact, "muted"),) for fact in facts)], said("  "), width)


def _now(view: RunView, latent: int) -> Iterator[str]:
    variance, kl = values(view)
    yield f"E[σ²] {number(float(variance[latent]))}"
    if view.woke[latent] >= 0:
        yield f"woke at step {view.woke[latent]:,}"
    elif LatentState(int(view.states[latent])) is not LatentState.ACTIVE:  # an active one is about to wake for good
        yield "asleep"
    if np.isfinite(kl[latent]):
        yield f"KL {number(float(kl[latent]))} nats"


def _then(columns: Columns, latent: int, at: int) -> Iterator[str]:
    if not len(columns):
        return
    column = columns.place(at)
    yield f"at step {int(columns.step[column]):,}"
    for name, symbol in _SYMBOLS:
        if name in columns.mean:
            yield f"{symbol} {number(float(columns.mean[name][column, latent]))}"
