"""One latent in a row of words: its state and its values, now or under the crosshair."""

from collections.abc import Iterator

import numpy as np

from vaemon.batch import Array
from vaemon.latents import LatentState
from vaemon.view.state import RunView
from vaemon.view.words import STATE_WORDS, number
from vaemon.watch.render.cells import BLANK, Row, join, said
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.widgets.picture import Picture

_SYMBOLS = (("mean_variance", "E[σ²]"), ("latent_kl", "KL"))


def values(view: RunView) -> tuple[Array, Array]:
    """Smoothed E[σ²] and KL of each latent, each of shape (k,), NaN where unknown."""
    unknown = np.full(view.latents, np.nan)
    known = view.latest.smoothed if view.latest is not None and view.latents else {}
    return known.get("mean_variance", unknown), known.get("latent_kl", unknown)


def latent_row(picture: Picture, latent: int, width: int) -> Row:
    """The latent of that index, or nothing where there is none; what does not fit is left out from the right."""
    view = picture.view
    if not 0 <= latent < view.latents:
        return BLANK
    state = LatentState(int(view.states[latent]))
    word = STATE_WORDS[state]
    facts = _then(view, latent, picture.look.at) if picture.look.at is not None else _now(view, latent)
    who = (said(f" z{latent} ", bold=True), said(f"{STATE[state]} {word}", word))
    return join([who, *((said(fact, "muted"),) for fact in facts)], said("  "), width)


def _now(view: RunView, latent: int) -> Iterator[str]:
    variance, kl = values(view)
    yield f"E[σ²] {number(float(variance[latent]))}"
    yield f"woke at step {view.woke[latent]:,}" if view.woke[latent] >= 0 else "asleep"
    if np.isfinite(kl[latent]):
        yield f"KL {number(float(kl[latent]))} nats"


def _then(view: RunView, latent: int, at: int) -> Iterator[str]:
    if not len(view.columns):
        return
    column = min(at // view.columns.width, len(view.columns) - 1)
    yield f"at step {int(view.columns.step[column]):,}"
    for name, symbol in _SYMBOLS:
        if name in view.columns.mean:
            yield f"{symbol} {number(float(view.columns.mean[name][column, latent]))}"
